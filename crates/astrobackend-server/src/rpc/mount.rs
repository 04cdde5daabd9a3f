//! The original's methods of a mount. Its coordinates are those of the mount's own equinox.

use super::values::{complete, measure};
use astrobackend::{
    Degrees, Hours, RaDec,
    device::{Mount, PierSide, Tracking},
    wire::rpc::{Params, Refusal},
};
use serde_json::{Value, json};

/// Does one of the original's methods.
pub(super) fn perform(mount: &dyn Mount, name: &str, params: &Params) -> Result<Value, Refusal> {
    Ok(match name {
        "mount_can_park" => json!({ "can_park": mount.caps()?.park }),
        "mount_at_park" => json!({ "at_park": mount.state()?.parked }),
        "mount_pier_side" => json!({ "pier_side": side(mount.state()?.pier_side) }),
        "mount_is_slewing" => json!({ "is_slewing": mount.state()?.slewing }),
        "mount_get_tracking" => json!({ "tracking": mount.state()?.tracking.on }),
        "mount_get_radec" => {
            let place = mount.state()?.position;
            json!({ "ra": place.ra.0, "dec": place.dec.0 })
        }
        "mount_get_altaz" => {
            let direction = mount.state()?.horizon;
            json!({
                "alt": measure(direction.map(|direction| direction.alt.0)),
                "az": measure(direction.map(|direction| direction.az.0)),
            })
        }
        "mount_slew_radec" => {
            mount.start_slew(place(mount, params)?.into())?;
            complete()
        }
        "mount_sync_radec" => {
            mount.sync(place(mount, params)?.into())?;
            complete()
        }
        "mount_abort_slew" => {
            mount.abort()?;
            complete()
        }
        "mount_park" => {
            mount.start_park()?;
            complete()
        }
        "mount_unpark" => {
            mount.start_unpark()?;
            complete()
        }
        "mount_set_tracking" => {
            let on = params.truth("tracking")?;
            let before = mount.state()?.tracking;
            mount.set_tracking(Tracking { on, ..before })?;
            complete()
        }
        _ => return Err(Refusal::unknown_method(name)),
    })
}

fn place(mount: &dyn Mount, params: &Params) -> Result<RaDec, Refusal> {
    let (ra, dec) = (params.number("ra")?, params.number("dec")?);
    Ok(RaDec::new(Hours(ra), Degrees(dec), mount.caps()?.equinox))
}

/// As the original's backends name them; unknown is no text.
fn side(side: PierSide) -> Value {
    match side {
        PierSide::East => json!("EAST"),
        PierSide::West => json!("WEST"),
        PierSide::Unknown => Value::Null,
    }
}
