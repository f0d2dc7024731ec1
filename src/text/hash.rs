//! Stable hashes for identifiers and fingerprints: FNV-1a (Fowler, Noll, Vo). The values are stored, so they must never
//! change. Detects accidents, not attackers.

/// The offset basis: the hash of no bytes.
pub const SEED: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a, 64 bits.
pub fn fnv1a(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(SEED, add_byte)
}

/// One step of FNV-1a, for a hash that is computed incrementally.
#[must_use]
pub const fn add_byte(hash: u64, byte: u8) -> u64 {
    (hash ^ byte as u64).wrapping_mul(0x0000_0100_0000_01b3)
}

/// FNV-1a, 32 bits; not the folded value of the 64 bits.
#[must_use]
pub fn fnv1a_32(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// FNV-1a, 128 bits, folded to 64.
#[must_use]
pub fn fnv1a_folded(bytes: &[u8]) -> u64 {
    let seed: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    let hash = bytes
        .iter()
        .fold(seed, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b));
    (hash >> 64) as u64 ^ hash as u64
}

/// Eight hexadecimal digits: names the version of a text such as a prompt's rules.
#[must_use]
pub fn version(text: &str) -> String {
    let hash = fnv1a(text.bytes());
    format!("{:08x}", (hash >> 32) ^ (hash & 0xffff_ffff))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_test_vectors_hold() {
        assert_eq!(fnv1a("foobar".bytes()), 0x8594_4171_f739_67e8);
        assert_eq!(fnv1a_32("foobar"), 0xbf9c_f968);
        assert_eq!(version(""), "4fd0bfc1");
    }
}
