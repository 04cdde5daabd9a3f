//! What COM and drivers report, as errors: one table with Alpaca, since ASCOM's numbers are the same.

use crate::{Error, ErrorKind};
use windows::{
    Win32::{Foundation::DISP_E_EXCEPTION, System::Com::EXCEPINFO},
    core::HRESULT,
};

/// The first of ASCOM's HRESULTs, `FACILITY_ITF` with the number in its lower twelve bits.
const ASCOM: u32 = 0x8004_0000;

/// The process of the driver is gone, or cannot be reached: `RPC_E_*`, `CO_E_*`, and the RPC errors of Win32.
const GONE: [u32; 10] = [
    0x8001_0007,
    0x8001_0012,
    0x8001_0108,
    0x8001_0114,
    0x8004_01FD,
    0x8007_06BA,
    0x8007_06BE,
    0x8007_06BF,
    0x8008_0005,
    0x8001_0100,
];

/// The driver's program takes no call right now, since it shows a window or makes a call itself: `RPC_E_CALL_REJECTED`,
/// `RPC_E_SERVERCALL_RETRYLATER`.
const REJECTED: [u32; 2] = [0x8001_0001, 0x8001_010A];

/// True when the same call may be taken a moment later.
pub(super) fn is_rejected(code: HRESULT) -> bool {
    REJECTED.contains(&(code.0 as u32))
}

/// There is no such member: `DISP_E_*`, `E_NOTIMPL`, and those of .NET.
const ABSENT: [u32; 6] = [0x8002_0003, 0x8002_0006, 0x8000_4001, 0x8013_1513, 0x8013_1512, 0x8002_000E];

/// The driver is not registered.
const UNREGISTERED: [u32; 2] = [0x8004_0154, 0x8004_01F3];

/// The error of a call that failed with a number, and perhaps with a description.
pub(super) fn error(member: &str, failed: &windows::core::Error, exception: Option<&EXCEPINFO>) -> Error {
    let code = failed.code();
    let number = code.0 as u32;
    let described = exception.filter(|_| code == DISP_E_EXCEPTION);
    let number = match described {
        Some(exception) if exception.scode != 0 => exception.scode as u32,
        // Visual Basic's own errors have a small number instead.
        Some(exception) if exception.wCode != 0 => ASCOM | u32::from(exception.wCode),
        _ => number,
    };
    let text = described.map(|exception| exception.bstrDescription.to_string()).filter(|text| !text.trim().is_empty());
    let source = described.map(|exception| exception.bstrSource.to_string()).filter(|text| !text.trim().is_empty());
    let kind = match kind(number) {
        // Said by a driver, which is there, of something behind it.
        ErrorKind::Unreachable if described.is_some() => ErrorKind::Device(number),
        kind => kind,
    };
    let why = text.unwrap_or_else(|| match kind {
        ErrorKind::Unsupported => format!("has no {member}"),
        ErrorKind::NotFound => "is not registered for 64-bit programs".into(),
        // What the driver has left beside the number, or what the system says of it.
        _ if described.is_none() => failed.message(),
        _ => windows::core::Error::from(HRESULT(number as i32)).message(),
    });
    let message = match source {
        Some(source) => format!("{member}: {why} ({source}, 0x{number:08X})"),
        None => format!("{member}: {why} (0x{number:08X})"),
    };
    Error::new(kind, message)
}

fn kind(number: u32) -> ErrorKind {
    if GONE.contains(&number) {
        return ErrorKind::Unreachable;
    }
    if REJECTED.contains(&number) {
        return ErrorKind::Busy;
    }
    if ABSENT.contains(&number) {
        return ErrorKind::Unsupported;
    }
    if UNREGISTERED.contains(&number) {
        return ErrorKind::NotFound;
    }
    match number & !0xFFF {
        ASCOM => ErrorKind::from_ascom_code(number & 0xFFF),
        _ => ErrorKind::Device(number),
    }
}
