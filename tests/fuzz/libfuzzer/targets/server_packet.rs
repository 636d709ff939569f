#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::decode::server_packet(bytes));
