//! The original's methods of a focuser.

use super::values::{complete, fitting, measure};
use astrobackend::{
    device::Focuser,
    wire::rpc::{Params, Refusal},
};
use serde_json::{Value, json};

/// Does one of the original's methods.
pub(super) fn perform(focuser: &dyn Focuser, name: &str, params: &Params) -> Result<Value, Refusal> {
    Ok(match name {
        "focuser_get_absolute_position" => json!({ "absolute_position": focuser.state()?.position }),
        "focuser_get_max_absolute_position" => json!({ "max_absolute_position": focuser.caps()?.max_position }),
        "focuser_get_current_temperature" => {
            json!({ "current_temperature": measure(focuser.state()?.temperature.map(|t| t.0)) })
        }
        "focuser_is_moving" => json!({ "is_moving": focuser.state()?.moving }),
        "focuser_stop" => {
            focuser.halt()?;
            json!({ "stop": true })
        }
        "focuser_move_absolute_position" => {
            focuser.start_move(fitting("absolute_position", params.whole("absolute_position")?)?)?;
            complete()
        }
        _ => return Err(Refusal::unknown_method(name)),
    })
}
