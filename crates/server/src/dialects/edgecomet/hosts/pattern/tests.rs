use super::*;

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn fits(pattern: &str, text: &str) -> bool {
    Patterns::parse(&texts(&[pattern])).unwrap().matches(text)
}

#[test]
fn exact_patterns_and_stars_ignore_case_and_expressions_only_behind_a_star() {
    for (pattern, text, expected) in [
        ("utm_source", "UTM_Source", true),
        ("utm_source", "utm_sourc", false),
        ("utm_*", "UTM_x", true),
        ("utm_*", "utm_", true),
        ("utm_*", "xutm_", false),
        ("*", "", true),
        ("**", "x", true),
        ("*id", "sessionID", true),
        ("*id", "idx", false),
        ("a*b*c", "a1b2b3c", true),
        ("a*b*c", "acb", false),
        ("ab*bc", "abc", false),
        ("ÄB*", "äbc", true),
        ("~^s[0-9]+$", "s12", true),
        ("~^s[0-9]+$", "S12", false),
        ("~*^s[0-9]+$", "S12", true),
        ("~id", "a_id_b", true),
        ("a.c", "abc", false),
    ] {
        assert_eq!(fits(pattern, text), expected, "{pattern:?} over {text:?}");
    }
}

#[test]
fn paths_keep_their_case() {
    let path = |pattern, text| Pattern::parse(pattern, Case::Kept).unwrap().matches(text);
    assert!(path("/Blog", "/Blog") && !path("/Blog", "/blog"));
    assert!(path("/Blog/*", "/Blog/a/b") && !path("/Blog/*", "/blog/a"));
    assert!(path("~*^/blog", "/BLOG"));
}

#[test]
fn what_is_no_pattern_says_why() {
    for (pattern, why) in [
        ("", r#""" is no pattern"#),
        ("~", r#""~" has no expression"#),
        ("~*", r#""~*" has no expression"#),
        ("~(", r#""~(" is no regular expression: unclosed group"#),
        ("~(a{1000}){1000}", r#""~(a{1000}){1000}" is no regular expression: it is too large"#),
    ] {
        assert_eq!(Patterns::parse(&texts(&[pattern])).unwrap_err().to_string(), why);
    }
    let unknown = Patterns::of_agents(&texts(&["$GoodBots"])).unwrap_err();
    assert_eq!(unknown.to_string(), r#""$GoodBots" is an unknown bot alias"#);
    assert!(!fits("$SearchBots", "googlebot"), "an alias means something over user agents only");
}

#[test]
fn aliases_mean_product_tokens() {
    let desktop = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
    let mobile = "Mozilla/5.0 (Linux; Android 6.0.1) Mobile Safari/537.36 (compatible; Googlebot/2.1)";
    let ads = "AdsBot-Google-Mobile (+http://www.google.com/mobile/adsbot.html)";
    for (alias, agent, expected) in [
        ("$SearchBots", desktop, true),
        ("$SearchBots", mobile, true),
        ("$GooglebotSearchDesktop", desktop, true),
        ("$GooglebotSearchDesktop", mobile, false),
        ("$GooglebotSearchMobile", mobile, true),
        ("$GooglebotSearchMobile", desktop, false),
        ("$SearchBots", "Googlebot-Image/1.0", false),
        ("$GoogleBotAds", "AdsBot-Google (+http://www.google.com/adsbot.html)", true),
        ("$GoogleBotAds", ads, false),
        ("$GoogleBotAdsMobileWeb", ads, true),
        ("$AIBots", "Mozilla/5.0 (compatible; GPTBOT/1.2)", true),
        ("$AIBots", desktop, false),
        ("$AnthropicBot", "Mozilla/5.0 (compatible; ClaudeBot/1.0; +claudebot@anthropic.com)", true),
        ("$AnthropicBot", "Claude-SearchBot/1.0", false),
        ("$Messengers", "TelegramBot (like TwitterBot)", true),
        ("$Socials", "facebookexternalhit/1.1", true),
        ("*bing*", "bingbot", true),
    ] {
        assert_eq!(Patterns::of_agents(&texts(&[alias])).unwrap().matches(agent), expected, "{alias} over {agent}");
    }
}

#[test]
fn no_text_makes_matching_slow() {
    let pattern = format!("{}b", "*a".repeat(500));
    let text = "a".repeat(1 << 20);
    // Trying places again would take longer than anybody waits.
    assert!(!fits(&pattern, &text));
    assert!(!fits("~(a*)*b$", &text));
}
