#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| astrobackend_fuzz::texts::angle(data));
