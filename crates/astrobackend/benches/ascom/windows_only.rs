//! The measurements.

use astrobackend::{
    Result, Wait,
    device::{AnyDevice, Camera, CameraExt, Device, DeviceId, DeviceKind, Exposure},
    image::Pixels,
};
use std::{
    hint::black_box,
    mem::ManuallyDrop,
    sync::{Arc, mpsc::channel},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use windows::{
    Win32::{
        Foundation::{LPARAM, WPARAM},
        System::{
            Com::{
                CLSCTX_ALL, CLSIDFromProgID, COINIT_APARTMENTTHREADED, CoCreateInstance, CoInitializeEx,
                DISPATCH_PROPERTYGET, DISPPARAMS, IDispatch, IStream, Marshal::CoMarshalInterThreadInterfaceInStream,
                StructuredStorage::CoGetInterfaceAndReleaseStream,
            },
            Threading::GetCurrentThreadId,
            Variant::VARIANT,
        },
        UI::WindowsAndMessaging::{DispatchMessageW, GetMessageW, MSG, PostThreadMessageW, WM_QUIT},
    },
    core::{GUID, Interface, PCWSTR, w},
};

/// 4656 × 3520 pixels.
const LARGE: &str = "TestSecond.Camera";
const ROUNDS: usize = 7;
const CALLS: u32 = 20_000;

/// A driver's object on this thread, with nothing in between.
struct Bare(IDispatch);

impl Bare {
    fn new(class: &GUID) -> Self {
        // SAFETY: COM is entered on this thread and stays so.
        unsafe { Bare(CoCreateInstance(class, None, CLSCTX_ALL).expect("the driver is registered")) }
    }

    fn id(&self, name: PCWSTR) -> i32 {
        let mut id = 0;
        // SAFETY: one name, and room for one number.
        unsafe { self.0.GetIDsOfNames(&GUID::zeroed(), &name, 1, 0x400, &mut id) }.expect("the member is there");
        id
    }

    fn get(&self, id: i32) -> VARIANT {
        let (mut answer, none) = (VARIANT::default(), DISPPARAMS::default());
        // SAFETY: all of it lives until the call returns.
        let done = unsafe {
            self.0.Invoke(id, &GUID::zeroed(), 0x400, DISPATCH_PROPERTYGET, &none, Some(&mut answer), None, None)
        };
        done.expect("the property can be read");
        answer
    }
}

fn camera() -> Arc<dyn Camera> {
    let backend = astrobackend::open(&format!("ascom:///{LARGE}")).expect("the address is right");
    match backend.device(&DeviceId::new(DeviceKind::Camera, LARGE)) {
        Ok(AnyDevice::Camera(camera)) => camera,
        other => panic!("{other:?}: run testing/windows/setup"),
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let done = work();
    (start.elapsed(), done)
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64()
}

fn per_call(calls: u32, mut call: impl FnMut()) -> Duration {
    timed(|| (0..calls).for_each(|_| call())).0 / calls
}

fn enter() {
    // SAFETY: each thread does this once, and uses COM until it ends.
    unsafe { CoInitializeEx(None, COINIT_APARTMENTTHREADED) }.ok().expect("an apartment");
}

/// An object that lives on another thread, with COM's own way to it.
struct Elsewhere {
    proxy: Bare,
    thread: JoinHandle<()>,
    id: u32,
}

impl Elsewhere {
    fn new(class: GUID) -> Self {
        let (sender, made) = channel();
        let thread = thread::spawn(move || {
            enter();
            let object = Bare::new(&class);
            // SAFETY: the stream goes to one thread, which uses it once.
            let stream = unsafe { CoMarshalInterThreadInterfaceInStream(&IDispatch::IID, &object.0) };
            // SAFETY: it only tells a number.
            let id = unsafe { GetCurrentThreadId() };
            sender.send((stream.expect("it can be marshalled").into_raw() as usize, id)).expect("it is awaited");
            let mut message = MSG::default();
            // SAFETY: messages are handled on the thread that they came to.
            unsafe {
                while GetMessageW(&mut message, None, 0, 0).as_bool() {
                    DispatchMessageW(&message);
                }
            }
        });
        let (stream, id) = made.recv().expect("the thread makes it");
        // SAFETY: the other thread has let go of what it sent, and the call releases it.
        let proxy = unsafe { CoGetInterfaceAndReleaseStream(&*ManuallyDrop::new(IStream::from_raw(stream as *mut _))) };
        Elsewhere { proxy: Bare(proxy.expect("it can be unmarshalled")), thread, id }
    }

    fn end(self) {
        drop(self.proxy);
        // SAFETY: it is told to end, no more.
        unsafe { PostThreadMessageW(self.id, WM_QUIT, WPARAM(0), LPARAM(0)) }.expect("it still runs");
        self.thread.join().expect("it ends");
    }
}

fn properties(bare: &Bare, class: GUID, camera: &dyn Device) {
    let id = bare.id(w!("Connected"));
    let elsewhere = Elsewhere::new(class);
    let (mut floor, mut marshalled, mut ours) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        floor.push(per_call(CALLS, || drop(black_box(bare.get(id)))));
        marshalled.push(per_call(CALLS / 20, || drop(black_box(elsewhere.proxy.get(id)))));
        ours.push(per_call(CALLS, || assert!(black_box(camera.is_connected()).expect("it is there"))));
    }
    elsewhere.end();
    let [floor, marshalled, ours] = [floor, marshalled, ours].map(median);
    println!("a property, bare Invoke on the driver's thread  {:8.2} us", floor * 1e6);
    println!("bare Invoke from another thread, by COM         {:8.2} us", marshalled * 1e6);
    println!(
        "from any thread through the library             {:8.2} us   {:.1} x, goal 10; {:.3} x COM's way",
        ours * 1e6,
        ours / floor,
        ours / marshalled
    );
}

/// From columns to rows, in blocks that stay in the cache.
fn transposed(columns: &[i32], width: usize, height: usize) -> Vec<u16> {
    const BLOCK: usize = 64;
    let mut rows = vec![0_u16; columns.len()];
    for top in (0..height).step_by(BLOCK) {
        for left in (0..width).step_by(BLOCK) {
            for y in top..(top + BLOCK).min(height) {
                for x in left..(left + BLOCK).min(width) {
                    rows[y * width + x] = columns[x * height + y] as u16;
                }
            }
        }
    }
    rows
}

fn pictures(bare: &Bare, camera: &dyn Camera) -> Result<()> {
    let id = bare.id(w!("ImageArray"));
    let wait = Wait::new(Duration::from_secs(60));
    let (mut invoke, mut whole, mut copy, mut plain) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let exposure = Exposure::light(Duration::from_millis(1));
        let image = camera.expose(exposure, &wait)?;
        let Pixels::U16(pixels) = image.pixels() else { panic!("{image:?}") };
        let columns: Vec<i32> = pixels.iter().map(|pixel| i32::from(*pixel)).collect();
        let (width, height) = (image.width() as usize, image.height() as usize);
        copy.push(timed(|| black_box(transposed(&columns, width, height))).0);
        plain.push(timed(|| black_box(columns.iter().map(|pixel| *pixel as u16).collect::<Vec<_>>())).0);
        drop((columns, image));
        invoke.push(timed(|| drop(black_box(bare.get(id)))).0);
        camera.start_exposure(exposure)?;
        let ready = || Ok((!camera.state()?.exposure.is_busy()).then_some(()));
        wait.until("the exposure", ready, || Ok(()))?;
        // The driver draws its picture when it is asked for the first time.
        drop(bare.get(id));
        whole.push(timed(|| black_box(camera.take_image())).0);
    }
    let [invoke, whole, copy, plain] = [invoke, whole, copy, plain].map(median);
    println!("16 megapixels, bare Invoke                      {:8.1} ms   the driver's own copy", invoke * 1e3);
    println!("a copy to u16, in order                         {:8.1} ms", plain * 1e3);
    println!("a copy that transposes                          {:8.1} ms", copy * 1e3);
    let ours = whole - invoke;
    println!(
        "take_image, without Invoke                      {:8.1} ms   {:.2} x the transposing copy, goal 2",
        ours * 1e3,
        ours / copy
    );
    Ok(())
}

pub(crate) fn main() {
    let camera = camera();
    camera.connect().expect("the driver connects");
    enter();
    // SAFETY: it only looks into the registry.
    let class = unsafe { CLSIDFromProgID(w!("TestSecond.Camera")) }.expect("the driver is registered");
    let bare = Bare::new(&class);
    properties(&bare, class, &*camera);
    pictures(&bare, &*camera).expect("pictures are taken");
}
