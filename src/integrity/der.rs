//! Finds the two numbers of an RSA public key in its DER form.
//!
//! `RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }` (RFC 8017, A.1.1), which is what CloudTrail hands out, or
//! that in a `SubjectPublicKeyInfo ::= SEQUENCE { algorithm SEQUENCE, subjectPublicKey BIT STRING }` (RFC 5280, 4.1), as in one
//! sample of its documentation.

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;
/// 1.2.840.113549.1.1.1, rsaEncryption, with its tag and length.
const RSA: [u8; 11] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// Modulus and exponent, without leading zeros.
pub(super) fn rsa_key(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let (key, []) = element(value, SEQUENCE)? else { return None };
    match element(key, SEQUENCE) {
        None => numbers(key),
        Some((algorithm, rest)) => {
            let (bits, []) = element(rest, BIT_STRING)? else { return None };
            // The first byte counts unused bits, of which there are none.
            let inner = bits.strip_prefix(&[0]).filter(|_| algorithm.starts_with(&RSA))?;
            let (key, []) = element(inner, SEQUENCE)? else { return None };
            numbers(key)
        }
    }
}

fn numbers(key: &[u8]) -> Option<(&[u8], &[u8])> {
    let (modulus, rest) = element(key, INTEGER)?;
    let (exponent, []) = element(rest, INTEGER)? else { return None };
    Some((magnitude(modulus), magnitude(exponent)))
}

/// A zero in front keeps a number from being negative.
fn magnitude(number: &[u8]) -> &[u8] {
    number.strip_prefix(&[0]).unwrap_or(number)
}

/// The contents of an element, and what follows it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let [first, length, rest @ ..] = bytes else { return None };
    if *first != tag {
        return None;
    }
    let (length, rest) = match *length {
        short @ ..=0x7f => (usize::from(short), rest),
        // More bytes would be the length of a key of more than 524,288 bits.
        long @ (0x81 | 0x82) => {
            let (length, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            (length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BARE: &[u8] = &[0x30, 0x08, 0x02, 0x02, 0x00, 0x81, 0x02, 0x02, 0x01, 0x03];

    #[test]
    fn both_forms_hold_the_same_numbers() {
        let expected = Some((&[0x81_u8][..], &[0x01, 0x03][..]));
        assert_eq!(rsa_key(BARE), expected);
        let algorithm = [&[0x30, 0x0d][..], &RSA, &[0x05, 0x00]].concat();
        let wrapped = [&[0x30, 0x1c][..], &algorithm, &[0x03, 0x0b, 0x00], BARE].concat();
        assert_eq!(rsa_key(&wrapped), expected);
    }

    #[test]
    fn anything_else_is_no_key_and_no_panic() {
        for end in 0..BARE.len() {
            assert_eq!(rsa_key(&BARE[..end]), None, "{end}");
        }
        for at in 0..BARE.len() {
            for byte in [0x00, 0x80, 0x82, 0x84, 0xff] {
                let mut key = BARE.to_vec();
                key[at] = byte;
                let _ = rsa_key(&key);
            }
        }
        assert_eq!(rsa_key(&[BARE, &[0]].concat()), None);
    }
}
