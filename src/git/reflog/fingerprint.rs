//! A short number that tells bytes from other bytes; nobody's secret depends on it.

/// FNV-1a, 64 bits: stable across releases, since it is stored.
#[must_use]
pub fn of<'a>(bytes: impl IntoIterator<Item = &'a u8>) -> u64 {
    bytes
        .into_iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}
