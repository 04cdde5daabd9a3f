//! What all devices of our server have in common: a name, and questions that carry it.

use super::connection::{Connection, common};
use crate::{
    Error, ErrorKind, Result,
    backend::keeping::{Claim, Declared},
    device::{Control, ControlInfo, DeviceId, DeviceInfo, Reply, ReplyKind, find_control},
    sync::lock,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// The action of a camera that saves on the server's side.
pub(super) const SAVE: &str = "rpc:save-image";

/// A device of our server.
#[derive(Debug)]
pub(super) struct Handle {
    pub(super) connection: Arc<Connection>,
    pub(super) id: DeviceId,
    info: Mutex<DeviceInfo>,
    /// What was done to the device from here.
    pub(super) claim: Arc<Claim>,
}

/// Something that is asked once and then known, until the connection or the device was lost.
#[derive(Debug)]
pub(super) struct Known<T>(Mutex<Option<(u64, T)>>);

impl<T> Default for Known<T> {
    fn default() -> Self {
        Known(Mutex::new(None))
    }
}

impl<T: Clone> Known<T> {
    /// What is known, or what is answered now.
    pub(super) fn or_ask(&self, handle: &Handle, ask: impl FnOnce() -> Result<T>) -> Result<T> {
        let losses = handle.connection.losses();
        if let Some((_, known)) = lock(&self.0).as_ref().filter(|(at, _)| *at == losses) {
            return Ok(known.clone());
        }
        let answer = ask()?;
        *lock(&self.0) = Some((losses, answer.clone()));
        Ok(answer)
    }

    pub(super) fn forget(&self) {
        *lock(&self.0) = None;
    }
}

impl Handle {
    pub(super) fn new(connection: Arc<Connection>, info: DeviceInfo) -> Self {
        let claim = connection.claim(info.id.clone());
        Handle { connection, id: info.id.clone(), info: Mutex::new(info), claim }
    }

    /// An error of this device.
    pub(super) fn fail<T>(&self, error: Error) -> Result<T> {
        Err(error.on(&self.id))
    }

    /// Asks; the whole result.
    pub(super) fn ask(&self, method: &str, mut params: Value) -> Result<Value> {
        self.claim.check()?;
        params["device"] = self.id.name.as_str().into();
        let answer = self.connection.call(method, Some(&params));
        if matches!(&answer, Err(error) if error.kind() == ErrorKind::NotConnected) {
            self.claim.doubt();
        }
        answer.map_err(|error| error.on(&self.id))
    }

    /// Reads a value.
    pub(super) fn get<T: DeserializeOwned>(&self, method: &str, params: Value) -> Result<T> {
        let answer = self.ask(method, params)?;
        T::deserialize(&answer["value"]).map_err(|error| {
            Error::protocol(format!("{method} answers what cannot be understood: {error}")).on(&self.id)
        })
    }

    /// Reads a value by a method that each kind of device has.
    pub(super) fn get_common<T: DeserializeOwned>(&self, method: &str) -> Result<T> {
        self.get(&common(self.id.kind, method), json!({}))
    }

    /// Has something done.
    pub(super) fn order(&self, method: &str, params: Value) -> Result<()> {
        self.ask(method, params).map(drop)
    }

    fn order_common(&self, method: &str) -> Result<()> {
        self.order(&common(self.id.kind, method), json!({}))
    }

    /// Has something set, and remembers that it was declared.
    pub(super) fn set(&self, declared: Declared, method: &str, params: Value) -> Result<()> {
        self.order(method, params)?;
        self.claim.declare(declared);
        Ok(())
    }

    pub(super) fn info(&self) -> DeviceInfo {
        lock(&self.info).clone()
    }

    pub(super) fn connect(&self) -> Result<()> {
        self.claim.await_release(self.connection.policy().timeout);
        self.order_common("connect")?;
        self.claim.take();
        // More may be known now.
        let known: DeviceInfo = self.get_common("get_info")?;
        let mut info = lock(&self.info);
        *info = DeviceInfo { id: self.id.clone(), address: info.address.clone(), ..known };
        Ok(())
    }

    pub(super) fn disconnect(&self) -> Result<()> {
        self.claim.let_go();
        self.order_common("disconnect")?;
        self.claim.note_connected(false);
        Ok(())
    }

    pub(super) fn is_connected(&self) -> Result<bool> {
        if self.claim.is_away()? {
            return Ok(false);
        }
        self.get_common("is_connected")
    }

    pub(super) fn controls(&self) -> Result<Vec<ControlInfo>> {
        self.get_common("get_controls")
    }

    pub(super) fn control(&self, control: Control) -> Result<f64> {
        self.get(&common(self.id.kind, "get_control"), json!({ "control": control }))
    }

    pub(super) fn set_control(&self, control: Control, value: f64) -> Result<()> {
        // JSON has no word for what is no number.
        let controls = self.controls()?;
        let checked = find_control(&controls, control).and_then(|info| info.check(value));
        checked.map_err(|error| error.on(&self.id))?;
        let method = common(self.id.kind, "set_control");
        self.set(Declared::Control(control, value), &method, json!({ "control": control, "value": value }))
    }

    pub(super) fn actions(&self) -> Result<Vec<String>> {
        let mut actions: Vec<String> = self.get_common("get_actions")?;
        if self.id.kind == crate::device::DeviceKind::Camera {
            actions.push(SAVE.to_owned());
        }
        Ok(actions)
    }

    pub(super) fn action(&self, name: &str, parameters: &str) -> Result<String> {
        if name == SAVE && self.id.kind == crate::device::DeviceKind::Camera {
            return self.order("save_image", save_params(parameters)).map(|()| String::new());
        }
        let method = common(self.id.kind, "action");
        self.get(&method, json!({ "action": name, "parameters": parameters }))
    }

    pub(super) fn command(&self, command: &str, raw: bool, reply: ReplyKind) -> Result<Reply> {
        let method = common(self.id.kind, "command");
        self.get(&method, json!({ "command": command, "raw": raw, "reply": reply }))
    }

    /// Refuses what is no number: JSON has no word for it.
    pub(super) fn check_finite(&self, what: &str, value: f64) -> Result<()> {
        if value.is_finite() { Ok(()) } else { self.fail(Error::invalid(format!("{what} {value} is no number"))) }
    }
}

/// A file's name, or a JSON object with it.
pub(super) fn save_params(parameters: &str) -> Value {
    let object = serde_json::from_str::<Value>(parameters).ok().filter(Value::is_object);
    object.unwrap_or_else(|| json!({ "filename": parameters }))
}

/// What every device of our server does alike, through its `handle`; the last argument forgets what was known.
macro_rules! impl_device {
    ($type:ty, $forget:expr) => {
        impl crate::device::Device for $type {
            fn info(&self) -> crate::device::DeviceInfo {
                self.handle.info()
            }
            fn connect(&self) -> crate::Result<()> {
                let forget: fn(&Self) = $forget;
                forget(self);
                self.handle.connect()
            }
            fn disconnect(&self) -> crate::Result<()> {
                let forget: fn(&Self) = $forget;
                self.handle.disconnect()?;
                forget(self);
                Ok(())
            }
            fn is_connected(&self) -> crate::Result<bool> {
                self.handle.is_connected()
            }
            fn controls(&self) -> crate::Result<Vec<crate::device::ControlInfo>> {
                self.handle.controls()
            }
            fn control(&self, control: crate::device::Control) -> crate::Result<f64> {
                self.handle.control(control)
            }
            fn set_control(&self, control: crate::device::Control, value: f64) -> crate::Result<()> {
                let forget: fn(&Self) = $forget;
                forget(self);
                self.handle.set_control(control, value)
            }
            fn actions(&self) -> crate::Result<Vec<String>> {
                self.handle.actions()
            }
            fn action(&self, name: &str, parameters: &str) -> crate::Result<String> {
                self.handle.action(name, parameters)
            }
            fn command(
                &self,
                command: &str,
                raw: bool,
                reply: crate::device::ReplyKind,
            ) -> crate::Result<crate::device::Reply> {
                self.handle.command(command, raw, reply)
            }
        }
    };
}
pub(super) use impl_device;
