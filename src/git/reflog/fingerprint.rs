//! Non-cryptographic fingerprint to detect changed bytes; not suitable for secrets.

/// FNV-1a, 64 bits; persisted, so it must stay stable across releases.
#[must_use]
pub fn of<'a>(bytes: impl IntoIterator<Item = &'a u8>) -> u64 {
    bytes
        .into_iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}
