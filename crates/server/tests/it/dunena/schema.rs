//! Whether a value is what a schema of an OpenAPI 3.0 document describes: the words that the document uses.

use serde_json::Value;

/// What a reference stands for; anything else for itself.
pub fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value.get("$ref").and_then(Value::as_str) {
        Some(target) => document.pointer(target.trim_start_matches('#')).expect("a reference in the document"),
        None => value,
    }
}

/// Why the value is not what the schema describes.
pub fn conforms(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let schema = resolve(document, schema);
    let members = schema.as_object().ok_or("a schema that is no object")?;
    if value.is_null() && members.get("nullable") == Some(&Value::Bool(true)) {
        return Ok(());
    }
    for (word, rule) in members {
        let right = match word.as_str() {
            "type" => has_type(rule.as_str().ok_or("a type that is no text")?, value),
            "enum" => rule.as_array().is_some_and(|words| words.contains(value)),
            "oneOf" => parts(rule).filter(|part| conforms(document, part, value).is_ok()).count() == 1,
            "allOf" => parts(rule).all(|part| conforms(document, part, value).is_ok()),
            "required" => parts(rule).all(|name| name.as_str().is_some_and(|name| value.get(name).is_some())),
            "minLength" => length(value) >= rule.as_u64(),
            "maxLength" => length(value) <= rule.as_u64(),
            "minItems" => value.as_array().map(|items| items.len() as u64) >= rule.as_u64(),
            "minimum" => value.as_f64() >= rule.as_f64(),
            "properties" => {
                for (name, schema) in rule.as_object().ok_or("properties that are no object")? {
                    let Some(member) = value.get(name) else { continue };
                    conforms(document, schema, member).map_err(|why| format!("{name}: {why}"))?;
                }
                true
            }
            "additionalProperties" => {
                let known = |name: &str| members.get("properties").is_some_and(|known| known.get(name).is_some());
                for (name, member) in value.as_object().into_iter().flatten().filter(|(name, _)| !known(name)) {
                    conforms(document, rule, member).map_err(|why| format!("{name}: {why}"))?;
                }
                true
            }
            "items" => {
                for item in value.as_array().into_iter().flatten() {
                    conforms(document, rule, item)?;
                }
                true
            }
            // What they say is not checked, but a word that nobody knows is a mistake.
            "description" | "default" | "format" | "nullable" | "pattern" => true,
            _ => return Err(format!("the schema says {word}")),
        };
        if !right {
            return Err(format!("{value} is against {word} {rule}"));
        }
    }
    Ok(())
}

fn parts(rule: &Value) -> impl Iterator<Item = &Value> {
    rule.as_array().into_iter().flatten()
}

fn length(value: &Value) -> Option<u64> {
    value.as_str().map(|text| text.chars().count() as u64)
}

fn has_type(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        _ => false,
    }
}

#[test]
fn a_value_that_breaks_a_rule_is_noticed() {
    let schema = serde_json::json!({
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": { "type": "string", "minLength": 1, "maxLength": 3, "nullable": true },
            "kind": { "enum": ["a", "b"] },
            "list": { "type": "array", "minItems": 1, "items": { "type": "integer", "minimum": 0 } },
        },
        "additionalProperties": { "type": "boolean" },
    });
    for (value, right) in [
        (r#"{"name":"abc","kind":"a","list":[0,1],"more":true}"#, true),
        (r#"{"name":null}"#, true),
        (r#"{}"#, false),
        (r#"[]"#, false),
        (r#"{"name":""}"#, false),
        (r#"{"name":"abcd"}"#, false),
        (r#"{"name":5}"#, false),
        (r#"{"name":"a","kind":"c"}"#, false),
        (r#"{"name":"a","list":[]}"#, false),
        (r#"{"name":"a","list":[1,-1]}"#, false),
        (r#"{"name":"a","list":[1.5]}"#, false),
        (r#"{"name":"a","more":1}"#, false),
    ] {
        let parsed = serde_json::from_str(value).unwrap();
        assert_eq!(conforms(&Value::Null, &schema, &parsed).is_ok(), right, "{value}");
    }
}
