//! `devices`: what the backend, or the rig, has.

use crate::context::Context;
use astrobackend::{Result, rig::Member};
use serde_json::json;

/// Lists them; asks each whether it is connected.
pub(crate) fn run(ctx: &Context) -> Result<()> {
    let mut rows = Vec::new();
    let mut objects = Vec::new();
    for member in ctx.chosen()? {
        let connected = is_connected(&member);
        if let Err(error) = &connected {
            ctx.out.warn(error);
        }
        let connected = connected.ok();
        let Member { role, info, .. } = &member;
        let state = match connected {
            Some(true) => "connected",
            Some(false) => "not connected",
            None => "unknown",
        };
        let role_text = role.as_ref().map(|role| format!("@{role}")).unwrap_or_default();
        let cells = [info.id.kind.to_string(), info.id.name.clone(), state.to_owned(), info.address.to_string()];
        rows.push(cells.into_iter().chain([role_text]).collect());
        objects.push(json!({
            "kind": info.id.kind,
            "name": info.id.name,
            "address": info.address.to_string(),
            "connected": connected,
            "role": role,
        }));
    }
    if rows.is_empty() {
        ctx.out.note("there are no devices");
    }
    ctx.out.table(&["kind", "name", "state", "address", "role"], &rows, json!({ "devices": objects }))
}

fn is_connected(member: &Member) -> Result<bool> {
    member.device()?.device().is_connected()
}
