//! What a namespace measures.

use std::sync::Arc;

use manifold_engine::series::{FieldType, MeasurementInfo};

use crate::{
    dialects::flo::{Reply, call::Call, names},
    http::{json, reply},
};

/// Measurements read from the engine at once.
const PAGE: usize = 1000;

/// GET of a namespace's measurements.
pub(in crate::dialects::flo) async fn list(call: Call<'_>) -> Reply {
    let namespace = names::namespace(&call)?;
    call.query()?;
    let mut found: Vec<MeasurementInfo> = Vec::new();
    loop {
        let last = found.last().map(|info| info.name.clone());
        let page = call.engine().measurements(&namespace, last.as_ref(), PAGE).await?;
        let more = page.len() == PAGE;
        found.extend(page);
        if !more {
            break;
        }
    }
    let mut out = b"{\"measurements\":".to_vec();
    json::write_array(&mut out, &found, write_info);
    out.push(b'}');
    Ok(reply::json(out))
}

fn write_info(out: &mut Vec<u8>, info: &MeasurementInfo) {
    out.extend_from_slice(b"{\"name\":");
    json::write_str(out, &info.name);
    out.extend_from_slice(b",\"series_count\":");
    json::write_u64(out, info.series);
    out.extend_from_slice(b",\"fields\":");
    json::write_array(out, &info.fields, |out, (name, kind): &(Arc<str>, FieldType)| {
        out.extend_from_slice(b"{\"name\":");
        json::write_str(out, name);
        out.extend_from_slice(b",\"type\":");
        json::write_str(out, type_name(*kind));
        out.push(b'}');
    });
    out.push(b'}');
}

/// What the contract calls the types of fields.
pub(super) fn type_name(kind: FieldType) -> &'static str {
    match kind {
        FieldType::Float => "float",
        FieldType::Int => "integer",
        FieldType::Uint => "unsigned",
        FieldType::Bool => "boolean",
        FieldType::Text => "string",
    }
}
