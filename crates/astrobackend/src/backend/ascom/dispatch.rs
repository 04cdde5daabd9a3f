//! Late binding: members of an object by name, whatever version of an interface it has.

use super::{apartment, failure, names};
use crate::{Error, ErrorKind, Result};
use std::{collections::HashMap, mem::ManuallyDrop, time::Duration};
use windows::{
    Win32::System::{
        Com::{
            CLSCTX_ALL, CLSIDFromProgID, CoCreateInstance, DISPATCH_FLAGS, DISPATCH_METHOD, DISPATCH_PROPERTYGET,
            DISPATCH_PROPERTYPUT, DISPPARAMS, EXCEPINFO, IDispatch,
        },
        Ole::DISPID_PROPERTYPUT,
        Variant::VARIANT,
    },
    core::{GUID, HSTRING, PCWSTR},
};

/// The language in which names and descriptions are asked for: the user's.
const LOCALE: u32 = 0x0400;

/// How often a call is made again that a driver's program does not take right now, and how long after.
const ATTEMPTS: u32 = 50;
const LATER: Duration = Duration::from_millis(100);

/// An object and the numbers of its members, as far as they were asked for.
#[derive(Debug)]
pub(super) struct Dispatch {
    object: IDispatch,
    ids: HashMap<&'static str, i32>,
}

impl Dispatch {
    /// Makes an object by its ProgID.
    ///
    /// # Errors
    /// `NotFound` when it is not registered, or what its program fails with.
    pub(super) fn create(prog_id: &str) -> Result<Self> {
        let failed = |why: windows::core::Error| match failure::error("CreateObject", &why, None) {
            error if error.kind() == ErrorKind::NotFound => {
                Error::not_found(format!("{prog_id} is not registered for {}-bit programs", usize::BITS)).caused_by(why)
            }
            error => error,
        };
        // SAFETY: COM is entered on this thread, and stays so while the object lives.
        let object = unsafe {
            let class = CLSIDFromProgID(&HSTRING::from(prog_id)).map_err(failed)?;
            CoCreateInstance(&class, None, CLSCTX_ALL).map_err(failed)?
        };
        Ok(Dispatch::of(object))
    }

    pub(super) fn of(object: IDispatch) -> Self {
        Dispatch { object, ids: HashMap::new() }
    }

    /// Reads a property, or calls a method that answers something.
    ///
    /// # Errors
    /// `Unsupported` when there is no such member; what it fails with.
    pub(super) fn get(&mut self, member: &'static str, arguments: Vec<VARIANT>) -> Result<VARIANT> {
        self.invoke(member, DISPATCH_PROPERTYGET | DISPATCH_METHOD, arguments)
    }

    /// Writes a property.
    ///
    /// # Errors
    /// As [`Dispatch::get`].
    pub(super) fn put(&mut self, member: &'static str, value: VARIANT) -> Result<()> {
        self.invoke(member, DISPATCH_PROPERTYPUT, vec![value]).map(drop)
    }

    /// Calls a method.
    ///
    /// # Errors
    /// As [`Dispatch::get`].
    pub(super) fn call(&mut self, member: &'static str, arguments: Vec<VARIANT>) -> Result<VARIANT> {
        self.invoke(member, DISPATCH_METHOD, arguments)
    }

    fn id(&mut self, member: &'static str) -> Result<i32> {
        if let Some(id) = self.ids.get(member) {
            return Ok(*id);
        }
        let (name, mut id) = (HSTRING::from(names::official(member)), 0);
        // SAFETY: one name and room for one number are given, as is said.
        let found = unsafe { self.object.GetIDsOfNames(&GUID::zeroed(), &PCWSTR(name.as_ptr()), 1, LOCALE, &mut id) };
        found.map_err(|why| failure::error(names::official(member), &why, None))?;
        self.ids.insert(member, id);
        Ok(id)
    }

    fn invoke(&mut self, member: &'static str, how: DISPATCH_FLAGS, mut arguments: Vec<VARIANT>) -> Result<VARIANT> {
        let id = self.id(member)?;
        self.invoke_id(id, member, how, &mut arguments)
    }

    /// The same by number, for members without a name.
    pub(super) fn invoke_id(
        &self,
        id: i32,
        member: &'static str,
        how: DISPATCH_FLAGS,
        arguments: &mut Vec<VARIANT>,
    ) -> Result<VARIANT> {
        // COM wants the last one first.
        arguments.reverse();
        let mut put = DISPID_PROPERTYPUT;
        let is_put = how == DISPATCH_PROPERTYPUT;
        let given = DISPPARAMS {
            rgvarg: arguments.as_mut_ptr(),
            cArgs: arguments.len() as u32,
            rgdispidNamedArgs: if is_put { &mut put } else { std::ptr::null_mut() },
            cNamedArgs: is_put.into(),
        };
        let mut attempts = 0;
        loop {
            let (mut answer, mut exception) = (VARIANT::default(), Thrown::default());
            // SAFETY: arguments, answer and exception live until the call returns.
            let done = unsafe {
                let (out, exception) = (Some(&raw mut answer), Some(&raw mut exception.0));
                self.object.Invoke(id, &GUID::zeroed(), LOCALE, how, &given, out, exception, None)
            };
            match done {
                Ok(()) => return Ok(answer),
                Err(why) if failure::is_rejected(why.code()) && attempts < ATTEMPTS => {
                    attempts += 1;
                    apartment::pump_for(LATER);
                }
                Err(why) => {
                    exception.fill_in();
                    return Err(failure::error(names::official(member), &why, Some(&exception.0)));
                }
            }
        }
    }
}

/// What a driver says of a failure.
#[derive(Default)]
struct Thrown(EXCEPINFO);

impl Thrown {
    /// Some say it only when they are asked.
    fn fill_in(&mut self) {
        if let Some(fill) = self.0.pfnDeferredFillIn {
            // SAFETY: the driver gave this function for just this structure.
            let _ = unsafe { fill(&mut self.0) };
        }
    }
}

impl Drop for Thrown {
    fn drop(&mut self) {
        // SAFETY: the texts are ours once the call has returned, and nobody uses them after this.
        unsafe {
            ManuallyDrop::drop(&mut self.0.bstrSource);
            ManuallyDrop::drop(&mut self.0.bstrDescription);
            ManuallyDrop::drop(&mut self.0.bstrHelpFile);
        }
    }
}
