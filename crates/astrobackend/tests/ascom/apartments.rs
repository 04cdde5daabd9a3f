//! Threads and what belongs to them go when their device goes.

use crate::{camera, focuser, patiently, turn};
use astrobackend::ErrorKind;
use std::mem::size_of;
use windows::Win32::{
    Foundation::CloseHandle,
    System::{
        Diagnostics::ToolHelp::{
            CreateToolhelp32Snapshot, TH32CS_SNAPTHREAD, THREADENTRY32, Thread32First, Thread32Next,
        },
        ProcessStatus::{GetProcessMemoryInfo, PROCESS_MEMORY_COUNTERS},
        Threading::{CreateEventW, GetCurrentProcess},
    },
};

/// What a process has of the system.
#[derive(Clone, Copy, Debug)]
struct Owned {
    threads: usize,
    /// The number that the next handle gets.
    handle: usize,
    kibibytes: usize,
}

/// Handles that may have come and gone in between: each is 4 further.
const ROOM: usize = 8 * 4;

#[allow(unsafe_code, reason = "the system's own interface")]
fn owned() -> Owned {
    // SAFETY: each structure says how large it is, and the snapshot is closed.
    unsafe {
        let this = GetCurrentProcess();
        // Wine does not count them; the lowest free one is the next.
        let event = CreateEventW(None, false, false, None).unwrap();
        let handle = event.0 as usize;
        CloseHandle(event).unwrap();
        let size = size_of::<PROCESS_MEMORY_COUNTERS>() as u32;
        let mut memory = PROCESS_MEMORY_COUNTERS { cb: size, ..Default::default() };
        GetProcessMemoryInfo(this, &mut memory, size).unwrap();
        let snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0).unwrap();
        let mut entry = THREADENTRY32 { dwSize: size_of::<THREADENTRY32>() as u32, ..Default::default() };
        let (mut threads, mut more) = (0, Thread32First(snapshot, &mut entry).is_ok());
        while more {
            threads += usize::from(entry.th32OwnerProcessID == std::process::id());
            more = Thread32Next(snapshot, &mut entry).is_ok();
        }
        CloseHandle(snapshot).unwrap();
        Owned { threads, handle, kibibytes: memory.PagefileUsage / 1024 }
    }
}

fn connect_often(prog_id: &str, times: usize) {
    for _ in 0..times {
        let camera = camera(prog_id, "");
        camera.disconnect().unwrap();
    }
}

#[test]
fn a_thousand_connects_leave_nothing_behind() {
    let _turn = turn();
    // What is loaded once stays.
    connect_often("Test.Camera", 20);
    let settled = || {
        let before = owned();
        // Threads end soon after their device; nobody waits for them.
        let look = || Ok((owned().threads <= before.threads).then(owned));
        patiently().until("the threads", look, || Ok(())).unwrap()
    };
    let before = settled();
    connect_often("Test.Camera", 1000);
    let look = || Ok(Some(owned()).filter(|now| now.threads <= before.threads && now.handle <= before.handle + ROOM));
    let after = patiently().until("the end of the threads", look, || Ok(()));
    let after = after.unwrap_or_else(|_| panic!("{before:?} has become {:?}", owned()));
    println!("{before:?}, {after:?}");
    assert!(after.kibibytes < before.kibibytes + 4096, "{before:?}, {after:?}");
}

#[test]
fn failures_leave_nothing_behind() {
    let _turn = turn();
    let focuser = focuser("Test.Focuser", "");
    focuser.disconnect().unwrap();
    let fail_often =
        || (0..50_000).for_each(|_| assert_eq!(focuser.halt().unwrap_err().kind(), ErrorKind::NotConnected));
    fail_often();
    let before = owned();
    fail_often();
    let after = owned();
    assert!(after.kibibytes < before.kibibytes + 2048, "{before:?}, {after:?}");
}

#[test]
fn a_driver_in_its_own_process_leaves_nothing_behind_either() {
    let _turn = turn();
    // Each is a new process, which takes Wine a second.
    connect_often("TestProcess.Camera", 2);
    let before = owned();
    connect_often("TestProcess.Camera", 10);
    let look = || Ok(Some(owned()).filter(|now| now.threads <= before.threads && now.handle <= before.handle + ROOM));
    let after = patiently().until("the end of the threads", look, || Ok(()));
    let after = after.unwrap_or_else(|_| panic!("{before:?} has become {:?}", owned()));
    println!("{before:?}, {after:?}");
}
