//! The original's methods of a filter wheel.

use super::values::{complete, fitting};
use astrobackend::{
    device::FilterWheel,
    wire::rpc::{Params, Refusal},
};
use serde_json::{Value, json};

/// Does one of the original's methods.
pub(super) fn perform(wheel: &dyn FilterWheel, name: &str, params: &Params) -> Result<Value, Refusal> {
    Ok(match name {
        "filterwheel_get_position" => {
            json!({ "filter_position": wheel.state()?.position.map_or(json!(-1), |place| json!(place)) })
        }
        "filterwheel_get_filter_names" => {
            let names: Vec<String> = wheel.filters()?.into_iter().map(|filter| filter.name).collect();
            json!({ "filter_names": names })
        }
        "filterwheel_move_position" => {
            wheel.start_move(fitting("filter_position", params.whole("filter_position")?)?)?;
            complete()
        }
        _ => return Err(Refusal::unknown_method(name)),
    })
}
