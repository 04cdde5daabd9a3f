//! Filter wheels of our server.

use super::handle::{Handle, impl_device};
use crate::{
    Result,
    device::{Filter, FilterWheel, FilterWheelState},
};
use serde_json::json;
use std::sync::Arc;

/// A filter wheel.
#[derive(Debug)]
pub(super) struct RpcFilterWheel {
    handle: Arc<Handle>,
}

impl_device!(RpcFilterWheel, |_| {});

impl RpcFilterWheel {
    pub(super) fn new(handle: Arc<Handle>) -> Self {
        RpcFilterWheel { handle }
    }
}

impl FilterWheel for RpcFilterWheel {
    fn filters(&self) -> Result<Vec<Filter>> {
        // Another client may rename them: asked each time.
        self.handle.get("filterwheel_get_filters", json!({}))
    }

    fn state(&self) -> Result<FilterWheelState> {
        self.handle.get_common("get_state")
    }

    fn start_move(&self, position: usize) -> Result<()> {
        self.handle.order("filterwheel_start_move", json!({ "position": position }))
    }

    fn set_names(&self, names: &[String]) -> Result<()> {
        self.handle.order("filterwheel_set_names", json!({ "names": names }))
    }
}
