//! Which addresses belong to the public Internet. Everything else is somebody's own network, maybe ours, and a webhook
//! has no business there unless the administrator says so.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// May anybody on the Internet expect to reach this address? An IPv6 address that stands for an IPv4 address is
/// judged by that one, if a host may connect to it so; what we are not sure of is not public.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// First address, and bits of the network, of what is reserved for something else than hosts on the Internet.
const RESERVED_V4: [([u8; 4], u32); 15] = [
    ([0, 0, 0, 0], 8),       // this network
    ([10, 0, 0, 0], 8),      // private
    ([100, 64, 0, 0], 10),   // shared by a provider's customers
    ([127, 0, 0, 0], 8),     // loopback
    ([169, 254, 0, 0], 16),  // link-local; the metadata of clouds
    ([172, 16, 0, 0], 12),   // private
    ([192, 0, 0, 0], 24),    // protocol assignments
    ([192, 0, 2, 0], 24),    // documentation
    ([192, 88, 99, 0], 24),  // relays of 6to4
    ([192, 168, 0, 0], 16),  // private
    ([198, 18, 0, 0], 15),   // benchmarks
    ([198, 51, 100, 0], 24), // documentation
    ([203, 0, 113, 0], 24),  // documentation
    ([224, 0, 0, 0], 4),     // multicast
    ([240, 0, 0, 0], 4),     // reserved, and broadcast at its end
];

/// The same of IPv6, within the eighth of it that is in use.
const RESERVED_V6: [([u16; 8], u32); 4] = [
    // Protocol assignments: Teredo, benchmarks, ORCHID.
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
    // Documentation.
    ([0x2001, 0x0db8, 0, 0, 0, 0, 0, 0], 32),
    // 6to4: somebody's relay leads to any IPv4 address.
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16),
    // Documentation.
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    !RESERVED_V4.iter().any(|(first, bits)| {
        let first = u32::from(Ipv4Addr::from(*first));
        (address.to_bits() ^ first) >> (32 - bits) == 0
    })
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(embedded) = embedded_v4(address) {
        return is_public_v4(embedded);
    }
    let in_use = address.segments()[0] >> 13 == 0b001;
    in_use
        && !RESERVED_V6.iter().any(|(first, bits)| {
            let first = u128::from(Ipv6Addr::from(*first));
            (address.to_bits() ^ first) >> (128 - bits) == 0
        })
}

/// `::ffff:a.b.c.d`, which is the IPv4 address itself, and `64:ff9b::a.b.c.d`, which networks without IPv4 make of it.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Each network by its first and last address, with the neighbours that are public.
    const TABLE: [(&str, bool); 96] = [
        ("0.0.0.0", false),
        ("0.0.0.1", false),
        ("0.255.255.255", false),
        ("1.0.0.0", true),
        ("1.1.1.1", true),
        ("8.8.8.8", true),
        ("9.255.255.255", true),
        ("10.0.0.0", false),
        ("10.255.255.255", false),
        ("11.0.0.0", true),
        ("100.63.255.255", true),
        ("100.64.0.0", false),
        ("100.127.255.255", false),
        ("100.128.0.0", true),
        ("126.255.255.255", true),
        ("127.0.0.0", false),
        ("127.0.0.1", false),
        ("127.255.255.255", false),
        ("128.0.0.0", true),
        ("169.253.255.255", true),
        ("169.254.0.0", false),
        ("169.254.169.254", false),
        ("169.254.255.255", false),
        ("169.255.0.0", true),
        ("172.15.255.255", true),
        ("172.16.0.0", false),
        ("172.31.255.255", false),
        ("172.32.0.0", true),
        ("191.255.255.255", true),
        ("192.0.0.0", false),
        ("192.0.0.255", false),
        ("192.0.1.0", true),
        ("192.0.2.0", false),
        ("192.0.2.255", false),
        ("192.0.3.0", true),
        ("192.88.99.1", false),
        ("192.88.100.0", true),
        ("192.167.255.255", true),
        ("192.168.0.0", false),
        ("192.168.255.255", false),
        ("192.169.0.0", true),
        ("198.17.255.255", true),
        ("198.18.0.0", false),
        ("198.19.255.255", false),
        ("198.20.0.0", true),
        ("198.51.99.255", true),
        ("198.51.100.0", false),
        ("198.51.100.255", false),
        ("203.0.112.255", true),
        ("203.0.113.0", false),
        ("203.0.113.255", false),
        ("203.0.114.0", true),
        ("223.255.255.255", true),
        ("224.0.0.0", false),
        ("239.255.255.255", false),
        ("240.0.0.0", false),
        ("255.255.255.254", false),
        ("255.255.255.255", false),
        ("::", false),
        ("::1", false),
        ("::127.0.0.1", false),
        ("::8.8.8.8", false),
        ("::ffff:127.0.0.1", false),
        ("::ffff:10.1.2.3", false),
        ("::ffff:169.254.169.254", false),
        ("::ffff:0.0.0.0", false),
        ("::ffff:8.8.8.8", true),
        ("::ffff:0:8.8.8.8", false),
        ("64:ff9b::127.0.0.1", false),
        ("64:ff9b::192.168.1.1", false),
        ("64:ff9b::8.8.8.8", true),
        ("64:ff9b:1::8.8.8.8", false),
        ("100::", false),
        ("100:0:0:1::", false),
        ("1fff:ffff::1", false),
        ("2000::1", true),
        ("2001::1", false),
        ("2001:0:7f00:1::", false),
        ("2001:2::1", false),
        ("2001:10::1", false),
        ("2001:20::1", false),
        ("2001:1ff:ffff::1", false),
        ("2001:200::1", true),
        ("2001:4860:4860::8888", true),
        ("2001:db8::1", false),
        ("2001:db9::1", true),
        ("2002:7f00:1::1", false),
        ("2002:808:808::1", false),
        ("2606:4700:4700::1111", true),
        ("3fff::1", false),
        ("3fff:1000::1", true),
        ("4000::1", false),
        ("5f00::1", false),
        ("fc00::1", false),
        ("fdff:ffff::1", false),
        ("fe80::1", false),
    ];

    #[test]
    fn only_what_anybody_on_the_internet_may_reach_is_public() {
        for (text, expected) in TABLE.into_iter().chain([
            ("febf:ffff::1", false),
            ("fec0::1", false),
            ("ff02::1", false),
            ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false),
        ]) {
            let address: IpAddr = text.parse().unwrap();
            assert_eq!(is_public(address), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_ipv4_address_in_disguise_is_judged_like_itself(bits: u32) {
            let plain = Ipv4Addr::from_bits(bits);
            let mapped = plain.to_ipv6_mapped();
            prop_assert_eq!(is_public(mapped.into()), is_public(plain.into()));
            let translated = Ipv6Addr::from_bits(0x64_ff9b << 96 | u128::from(bits));
            prop_assert_eq!(is_public(translated.into()), is_public(plain.into()));
        }

        #[test]
        fn what_the_standard_library_knows_to_be_somebodys_own_is_never_public(bits: u128) {
            let four = Ipv4Addr::from_bits(u32::try_from(bits & 0xffff_ffff).unwrap());
            let own = four.is_loopback() || four.is_private() || four.is_link_local() || four.is_broadcast()
                || four.is_multicast() || four.is_unspecified() || four.is_documentation();
            prop_assert!(!(own && is_public(four.into())), "{four}");
            let six = Ipv6Addr::from_bits(bits);
            let own = six.is_loopback() || six.is_multicast() || six.is_unspecified() || six.is_unique_local()
                || six.is_unicast_link_local();
            prop_assert!(!(own && is_public(six.into())), "{six}");
        }
    }
}
