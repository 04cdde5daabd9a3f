//! `backends`: the frameworks there are.

use crate::context::Context;
use astrobackend::{FRAMEWORKS, Framework, Result, default_backend};
use serde_json::json;

/// Lists them, in the order of the library's table.
pub(crate) fn run(ctx: &Context) -> Result<()> {
    let row = |framework: &Framework| {
        let built_in = if framework.built_in { "built in" } else { "not yet" };
        let schemes = framework.schemes.iter().map(|scheme| format!("{scheme}://")).collect::<Vec<_>>().join(" ");
        vec![framework.name.to_owned(), schemes, built_in.to_owned(), framework.summary.to_owned()]
    };
    let rows: Vec<_> = FRAMEWORKS.iter().map(row).collect();
    let object = |framework: &Framework| {
        json!({
            "name": framework.name,
            "schemes": framework.schemes,
            "built_in": framework.built_in,
            "summary": framework.summary,
        })
    };
    let all: Vec<_> = FRAMEWORKS.iter().map(object).collect();
    let default = default_backend();
    ctx.out.note(format!("default: {default}"));
    ctx.out.table(&["name", "addresses", "state", "what"], &rows, json!({ "default": default, "backends": all }))
}
