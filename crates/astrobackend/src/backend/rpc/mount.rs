//! Mounts of our server.

use super::handle::{Handle, Known, impl_device};
use crate::{
    DegreesPerSecond, RaDec, Result, Site, Timestamp,
    backend::keeping::Declared,
    device::{
        Axis, GuideDirection, GuideRates, Mount, MountCaps, MountState, PierSide, Target, Tracking, check_target,
    },
};
use serde_json::json;
use std::{sync::Arc, time::Duration};

/// A mount.
#[derive(Debug)]
pub(super) struct RpcMount {
    handle: Arc<Handle>,
    caps: Known<Arc<MountCaps>>,
}

impl_device!(RpcMount, |mount| mount.caps.forget());

impl RpcMount {
    pub(super) fn new(handle: Arc<Handle>) -> Self {
        RpcMount { handle, caps: Known::default() }
    }

    fn check(&self, target: Target) -> Result<()> {
        check_target(target).map_err(|error| error.on(&self.handle.id))
    }
}

impl Mount for RpcMount {
    fn caps(&self) -> Result<Arc<MountCaps>> {
        self.caps.or_ask(&self.handle, || self.handle.get_common("get_caps").map(Arc::new))
    }

    fn state(&self) -> Result<MountState> {
        let state = self.handle.get_common("get_state")?;
        self.handle.claim.see(&state);
        Ok(state)
    }

    fn start_slew(&self, target: Target) -> Result<()> {
        self.check(target)?;
        self.handle.order("mount_start_slew", json!({ "target": target }))
    }

    fn abort(&self) -> Result<()> {
        self.handle.order("mount_abort", json!({}))
    }

    fn sync(&self, target: Target) -> Result<()> {
        self.check(target)?;
        self.handle.order("mount_sync", json!({ "target": target }))
    }

    fn start_park(&self) -> Result<()> {
        self.handle.claim.forget_tracking();
        self.handle.order("mount_start_park", json!({}))
    }

    fn start_unpark(&self) -> Result<()> {
        self.handle.order("mount_start_unpark", json!({}))
    }

    fn set_park(&self) -> Result<()> {
        self.handle.order("mount_set_park", json!({}))
    }

    fn start_home(&self) -> Result<()> {
        self.handle.claim.forget_tracking();
        self.handle.order("mount_start_home", json!({}))
    }

    fn set_tracking(&self, tracking: Tracking) -> Result<()> {
        self.handle.check_finite("rate offset", tracking.ra_offset)?;
        self.handle.check_finite("rate offset", tracking.dec_offset)?;
        self.handle.set(Declared::Tracking(tracking), "mount_set_tracking_rate", json!({ "tracking": tracking }))
    }

    fn start_flip(&self, side: PierSide) -> Result<()> {
        self.handle.order("mount_start_flip", json!({ "side": side }))
    }

    fn destination_side(&self, target: RaDec) -> Result<PierSide> {
        self.check(target.into())?;
        self.handle.get("mount_get_destination_side", json!({ "target": target }))
    }

    fn guide_rates(&self) -> Result<Option<GuideRates>> {
        self.handle.get("mount_get_guide_rates", json!({}))
    }

    fn set_guide_rates(&self, rates: GuideRates) -> Result<()> {
        self.handle.check_finite("guide rate", rates.ra.0)?;
        self.handle.check_finite("guide rate", rates.dec.0)?;
        self.handle.set(Declared::GuideRates(rates), "mount_set_guide_rates", json!({ "rates": rates }))
    }

    fn pulse_guide(&self, direction: GuideDirection, duration: Duration) -> Result<()> {
        let params = json!({ "direction": direction, "seconds": duration.as_secs_f64() });
        self.handle.order("mount_pulse_guide", params)
    }

    fn move_axis(&self, axis: Axis, rate: DegreesPerSecond) -> Result<()> {
        self.handle.check_finite("rate", rate.0)?;
        self.handle.order("mount_move_axis", json!({ "axis": axis, "rate": rate }))
    }

    fn site(&self) -> Result<Option<Site>> {
        self.handle.get("mount_get_site", json!({}))
    }

    fn set_site(&self, site: Site) -> Result<()> {
        for value in [site.latitude.0, site.longitude.0, site.elevation.0] {
            self.handle.check_finite("site", value)?;
        }
        self.handle.order("mount_set_site", json!({ "site": site }))
    }

    fn set_time(&self, utc: Timestamp) -> Result<()> {
        self.handle.order("mount_set_time", json!({ "utc": utc }))
    }
}
