//! Focusers of our server.

use super::handle::{Handle, Known, impl_device};
use crate::{
    Result,
    device::{Focuser, FocuserCaps, FocuserState},
};
use serde_json::json;
use std::sync::Arc;

/// A focuser.
#[derive(Debug)]
pub(super) struct RpcFocuser {
    handle: Arc<Handle>,
    caps: Known<FocuserCaps>,
}

impl_device!(RpcFocuser, |focuser| focuser.caps.forget());

impl RpcFocuser {
    pub(super) fn new(handle: Arc<Handle>) -> Self {
        RpcFocuser { handle, caps: Known::default() }
    }
}

impl Focuser for RpcFocuser {
    fn caps(&self) -> Result<FocuserCaps> {
        self.caps.or_ask(&self.handle, || self.handle.get_common("get_caps"))
    }

    fn state(&self) -> Result<FocuserState> {
        self.handle.get_common("get_state")
    }

    fn start_move(&self, position: i32) -> Result<()> {
        self.handle.order("focuser_start_move", json!({ "position": position }))
    }

    fn start_move_by(&self, steps: i32) -> Result<()> {
        self.handle.order("focuser_start_move_by", json!({ "steps": steps }))
    }

    fn halt(&self) -> Result<()> {
        self.handle.order("focuser_halt", json!({}))
    }

    fn sync(&self, position: i32) -> Result<()> {
        self.handle.order("focuser_sync", json!({ "position": position }))
    }
}
