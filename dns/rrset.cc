// Where the names stand in the rdata of each type that has any in a fixed place.
// RFC 1035 §3.3 (compressible), RFC 3597 §4 (all others are never compressed), RFC 9460 §2.2
// (SVCB). NAPTR is left out: its name stands behind strings of any length. Thread rule: a pure
// function.
#include "dns/rrset.h"

namespace steerd::dns {

RdataNames names_in_rdata(RrType type) noexcept {
    switch (type) {
        case RrType::NS:
        case RrType::CNAME:
        case RrType::PTR:
            return {.skip = 0, .names = 1, .compressible = true};
        case RrType::SOA:
            return {.skip = 0, .names = 2, .compressible = true};
        case RrType::MX:
            return {.skip = 2, .names = 1, .compressible = true};
        case RrType::DNAME:
        case RrType::NSEC:
            return {.skip = 0, .names = 1, .compressible = false};
        case RrType::RP:
            return {.skip = 0, .names = 2, .compressible = false};
        case RrType::AFSDB:
        case RrType::KX:
        case RrType::SVCB:
        case RrType::HTTPS:
            return {.skip = 2, .names = 1, .compressible = false};
        case RrType::SRV:
            return {.skip = 6, .names = 1, .compressible = false};
        case RrType::SIG:
        case RrType::RRSIG:
            return {.skip = 18, .names = 1, .compressible = false};
        default:
            return {};
    }
}

}  // namespace steerd::dns
