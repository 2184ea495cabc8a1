//! What the tests of this stage share. The values in them are what Postgres' send functions return, the JSON beside
//! them is what its `to_json` prints, unless a comment says otherwise.

use super::scalar::{Codec, EncodeError};

/// Bytes from hexadecimal.
pub(super) fn hex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

pub(super) fn json(codec: &Codec, value: &str) -> Result<String, EncodeError> {
    let mut out = Vec::new();
    codec.write(&hex(value), &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

/// Checks pairs of a value in hexadecimal and its JSON.
pub(super) fn check(codec: &Codec, cases: &[(&str, &str)]) {
    for (value, expected) in cases {
        let written = json(codec, value);
        assert_eq!(written.as_deref(), Ok(*expected), "{codec:?} of {value}");
    }
}

/// Repeatable pseudorandom values (xorshift), with the sizes and the many zeros that make them nearly valid.
pub(super) struct Noise(u64);

impl Noise {
    pub(super) fn new() -> Self {
        Noise(0x9e37_79b9_7f4a_7c15)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    pub(super) fn value(&mut self) -> Vec<u8> {
        let size = match self.below(8) {
            0 => 1,
            1 => 2,
            2 => 4,
            3 => 8,
            4 => 12,
            5 => 16,
            _ => self.below(60),
        };
        let limit = [2, 4, 128, 256][usize::try_from(self.below(4)).unwrap()];
        (0..size)
            .map(|_| match self.below(3) {
                0 => 0,
                _ => u8::try_from(self.below(limit)).unwrap(),
            })
            .collect()
    }
}
