//! Values of COM as JSON, which is what the interfaces are read in, and arguments as values of COM.

use super::dispatch::Dispatch;
use crate::{Error, ErrorKind, Result, Timestamp, backend::interfaces::Argument};
use serde_json::{Map, Number, Value};
use windows::{
    Win32::System::{
        Com::{DISPATCH_METHOD, DISPATCH_PROPERTYGET, IDispatch, SAFEARRAY},
        Ole::{
            DISPID_NEWENUM, IEnumVARIANT, SafeArrayGetDim, SafeArrayGetElement, SafeArrayGetLBound, SafeArrayGetUBound,
            SafeArrayGetVartype,
        },
        Variant::{
            VAR_CHANGE_FLAGS, VARENUM, VARIANT, VT_ARRAY, VT_BOOL, VT_BSTR, VT_BYREF, VT_CY, VT_DATE, VT_DECIMAL,
            VT_DISPATCH, VT_EMPTY, VT_I1, VT_I2, VT_I4, VT_I8, VT_INT, VT_NULL, VT_R4, VT_R8, VT_UI1, VT_UI2, VT_UI4,
            VT_UI8, VT_UINT, VT_UNKNOWN, VT_VARIANT, VariantChangeType, VariantCopyInd,
        },
    },
    core::{BSTR, IUnknown, Interface},
};

/// The day that COM counts from is 30 December 1899; this many days later is 1970.
const DAYS_TO_1970: f64 = 25_569.0;

/// What lists have beside variants, each not larger than a variant's value.
const IN_LISTS: [VARENUM; 18] = [
    VT_BOOL,
    VT_BSTR,
    VT_CY,
    VT_DATE,
    VT_DISPATCH,
    VT_I1,
    VT_I2,
    VT_I4,
    VT_I8,
    VT_INT,
    VT_R4,
    VT_R8,
    VT_UI1,
    VT_UI2,
    VT_UI4,
    VT_UI8,
    VT_UINT,
    VT_UNKNOWN,
];

/// The most values of a list or a collection.
const MOST: usize = 4096;

/// An argument.
pub(super) fn of(argument: &Argument) -> VARIANT {
    match argument {
        Argument::Bool(value) => VARIANT::from(*value),
        // ASCOM's integers have 32 bits.
        Argument::Integer(value) => VARIANT::from(i32::try_from(*value).unwrap_or(i32::MAX)),
        Argument::Real(value) => VARIANT::from(*value),
        Argument::Text(value) => VARIANT::from(BSTR::from(value.as_str())),
    }
}

/// A moment in UTC, as `UTCDate` is written.
///
/// # Errors
/// `InvalidValue` for what is no moment.
pub(super) fn date(text: &str) -> Result<VARIANT> {
    let moment: Timestamp = text.parse().map_err(|_| Error::invalid(format!("{text:?} is no moment")))?;
    let mut variant = VARIANT::from(moment.as_nanosecond() as f64 / 86_400e9 + DAYS_TO_1970);
    // SAFETY: a date is a number of 64 bits as well; only what it is taken for changes.
    unsafe { (*variant.Anonymous.Anonymous).vt = VT_DATE };
    Ok(variant)
}

/// The value as JSON.
///
/// # Errors
/// `Protocol` for what ASCOM's members cannot be; what a collection fails with.
pub(super) fn value(variant: &VARIANT) -> Result<Value> {
    let kind = kind_of(variant);
    if kind.0 & VT_BYREF.0 != 0 {
        let mut direct = VARIANT::default();
        // SAFETY: both are whole variants.
        unsafe { VariantCopyInd(&mut direct, variant) }.map_err(|_| odd(kind))?;
        return value(&direct);
    }
    if kind.0 & VT_ARRAY.0 != 0 {
        return list(array(variant)?);
    }
    // SAFETY: the kind says which of the fields is there.
    let parts = unsafe { &variant.Anonymous.Anonymous.Anonymous };
    // SAFETY: as above, for each of them.
    Ok(unsafe {
        match kind {
            VT_EMPTY | VT_NULL => Value::Null,
            VT_BOOL => Value::Bool(parts.boolVal.as_bool()),
            VT_I1 => parts.cVal.into(),
            VT_UI1 => parts.bVal.into(),
            VT_I2 => parts.iVal.into(),
            VT_UI2 => parts.uiVal.into(),
            VT_I4 => parts.lVal.into(),
            VT_INT => parts.intVal.into(),
            VT_UI4 => parts.ulVal.into(),
            VT_UINT => parts.uintVal.into(),
            VT_I8 => parts.llVal.into(),
            VT_UI8 => parts.ullVal.into(),
            VT_R4 => real(f64::from(parts.fltVal)),
            VT_R8 => real(parts.dblVal),
            VT_DATE => moment(parts.date),
            VT_BSTR => Value::String(parts.bstrVal.to_string()),
            VT_CY | VT_DECIMAL => {
                let mut changed = VARIANT::default();
                VariantChangeType(&mut changed, variant, VAR_CHANGE_FLAGS(0), VT_R8).map_err(|_| odd(kind))?;
                return value(&changed);
            }
            VT_DISPATCH => match &*parts.pdispVal {
                Some(object) => return collection(object),
                None => Value::Null,
            },
            VT_UNKNOWN => match &*parts.punkVal {
                Some(object) => return collection(&object.cast::<IDispatch>().map_err(|_| odd(kind))?),
                None => Value::Null,
            },
            _ => return Err(odd(kind)),
        }
    })
}

/// What a variant is.
pub(super) fn kind_of(variant: &VARIANT) -> VARENUM {
    // SAFETY: the kind is there in every variant.
    unsafe { variant.Anonymous.Anonymous.vt }
}

fn odd(kind: VARENUM) -> Error {
    Error::protocol(format!("answered a value of the kind {}, which is none of ASCOM's", kind.0))
}

fn real(value: f64) -> Value {
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

fn moment(days: f64) -> Value {
    let nanoseconds = (days - DAYS_TO_1970) * 86_400e9;
    // To the millisecond: the number of days has no more.
    let moment = Timestamp::from_millisecond((nanoseconds / 1e6).round() as i64);
    moment.map_or(Value::Null, |moment| Value::String(moment.to_string()))
}

/// The array in a variant.
///
/// # Errors
/// `Protocol` when there is none.
pub(super) fn array(variant: &VARIANT) -> Result<&SAFEARRAY> {
    let kind = kind_of(variant);
    let none = || Error::protocol("answered no array");
    if kind.0 & VT_ARRAY.0 == 0 {
        return Err(none());
    }
    // SAFETY: the kind says that it is an array, by reference or not; it lives as long as the variant.
    unsafe {
        let parts = &variant.Anonymous.Anonymous.Anonymous;
        let array =
            if kind.0 & VT_BYREF.0 == 0 { parts.parray } else { parts.pparray.as_ref().copied().unwrap_or_default() };
        array.as_ref().ok_or_else(none)
    }
}

/// A list of texts or numbers.
fn list(array: &SAFEARRAY) -> Result<Value> {
    // SAFETY: the array is whole, and the element is as large as its kind.
    unsafe {
        if SafeArrayGetDim(array) != 1 {
            return Err(Error::protocol("answered a table for a list"));
        }
        let bounds = SafeArrayGetLBound(array, 1).and_then(|low| Ok((low, SafeArrayGetUBound(array, 1)?)));
        let (low, high) = bounds.map_err(|why| Error::protocol(format!("answered a broken array: {why}")))?;
        let kind =
            SafeArrayGetVartype(array).map_err(|why| Error::protocol(format!("answered a broken array: {why}")))?;
        let mut values = Vec::new();
        for index in (low..=high).take(MOST) {
            let mut element = VARIANT::default();
            let place: *mut std::ffi::c_void = match kind {
                VT_VARIANT => (&raw mut element).cast(),
                _ if IN_LISTS.contains(&kind) => {
                    (*element.Anonymous.Anonymous).vt = kind;
                    (&raw mut (*element.Anonymous.Anonymous).Anonymous).cast()
                }
                // Larger than the place for it.
                _ => return Err(odd(kind)),
            };
            SafeArrayGetElement(array, &index, place)
                .map_err(|why| Error::protocol(format!("answered a broken array: {why}")))?;
            values.push(value(&element)?);
        }
        Ok(Value::Array(values))
    }
}

/// A collection: what it enumerates. An object that enumerates nothing is one of the small ones in a collection.
fn collection(object: &IDispatch) -> Result<Value> {
    let dispatch = Dispatch::of(object.clone());
    let how = DISPATCH_METHOD | DISPATCH_PROPERTYGET;
    let enumerator = match dispatch.invoke_id(DISPID_NEWENUM, "_NewEnum", how, &mut Vec::new()) {
        Ok(enumerator) => enumerator,
        Err(error) if error.kind() == ErrorKind::Unreachable => return Err(error),
        Err(_) => return member(dispatch),
    };
    // SAFETY: the kind says which of the fields is there.
    let unknown: Option<IUnknown> = unsafe {
        let parts = &enumerator.Anonymous.Anonymous.Anonymous;
        match kind_of(&enumerator) {
            VT_UNKNOWN => (*parts.punkVal).clone(),
            VT_DISPATCH => (*parts.pdispVal).as_ref().and_then(|object| object.cast().ok()),
            _ => None,
        }
    };
    let broken = || Error::protocol("answered a collection that cannot be gone through");
    let enumerator: IEnumVARIANT = unknown.ok_or_else(broken)?.cast().map_err(|_| broken())?;
    let mut values = Vec::new();
    while values.len() < MOST {
        let (mut next, mut count) = ([VARIANT::default()], 0);
        // SAFETY: there is room for the one that is asked for.
        let done = unsafe { enumerator.Next(&mut next, &mut count) };
        if done.is_err() || count == 0 {
            break;
        }
        values.push(value(&next[0])?);
    }
    Ok(Value::Array(values))
}

/// A range of speeds, or one of the values of `DeviceState`.
fn member(mut dispatch: Dispatch) -> Result<Value> {
    let mut members = Map::new();
    for name in ["Minimum", "Maximum", "Name", "Value"] {
        if let Ok(found) = dispatch.get(name, Vec::new()) {
            members.insert(name.to_owned(), value(&found)?);
        }
    }
    match members.is_empty() {
        true => Err(Error::protocol("answered an object that is neither a list nor one of ASCOM's")),
        false => Ok(Value::Object(members)),
    }
}
