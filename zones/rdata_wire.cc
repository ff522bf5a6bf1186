// The shapes of the types that we know ourselves; the rest is asked of ldns.
// RFC 1035 §3.3; RFC 9460 §2.2 (keys of parameters ascend, so none comes twice).
// Thread rule: pure.
#include "zones/rdata_wire.h"

#include "dns/name.h"
#include "zones/rdata_ldns.h"

namespace steerd::zones {

namespace {

using dns::RrType;

/// Takes names off the front; nullopt where one is no name.
std::optional<std::span<const std::uint8_t>> behind_names(std::span<const std::uint8_t> rdata,
                                                          unsigned names) {
    for (unsigned i = 0; i < names; ++i) {
        const auto name = dns::NameView::parse_wire(rdata);
        if (!name) {
            return std::nullopt;
        }
        rdata = rdata.subspan(name->size());
    }
    return rdata;
}

bool are_strings(std::span<const std::uint8_t> rdata) {
    if (rdata.empty()) {
        return false;
    }
    while (!rdata.empty()) {
        const std::size_t size = 1U + rdata[0];
        if (size > rdata.size()) {
            return false;
        }
        rdata = rdata.subspan(size);
    }
    return true;
}

/// RFC 9460 §2.2: keys strictly ascending, values within the rdata.
bool is_svcb(std::span<const std::uint8_t> rdata) {
    const auto params = rdata.size() < 3 ? std::nullopt : behind_names(rdata.subspan(2), 1);
    if (!params) {
        return false;
    }
    int last_key = -1;
    for (auto rest = *params; !rest.empty();) {
        if (rest.size() < 4) {
            return false;
        }
        const int key = rest[0] << 8 | rest[1];
        const std::size_t size = 4U + static_cast<std::size_t>(rest[2] << 8 | rest[3]);
        if (key <= last_key || size > rest.size()) {
            return false;
        }
        last_key = key;
        rest = rest.subspan(size);
    }
    return true;
}

/// Whether octets are rdata of a type that we read ourselves: so many octets, names, octets.
bool has_shape(std::span<const std::uint8_t> rdata, std::size_t skip, unsigned names,
               std::size_t tail) {
    if (rdata.size() < skip) {
        return false;
    }
    const auto rest = behind_names(rdata.subspan(skip), names);
    return rest && rest->size() == tail;
}

}  // namespace

std::optional<std::string> check_rdata(RrType type, std::span<const std::uint8_t> rdata) {
    bool good = true;
    switch (type) {
        case RrType::A:
            good = rdata.size() == 4;
            break;
        case RrType::AAAA:
            good = rdata.size() == 16;
            break;
        case RrType::NS:
        case RrType::CNAME:
        case RrType::PTR:
        case RrType::DNAME:
            good = has_shape(rdata, 0, 1, 0);
            break;
        case RrType::MX:
            good = has_shape(rdata, 2, 1, 0);
            break;
        case RrType::SRV:
            good = has_shape(rdata, 6, 1, 0);
            break;
        case RrType::SOA:
            good = has_shape(rdata, 0, 2, 20);
            break;
        case RrType::TXT:
            good = are_strings(rdata);
            break;
        case RrType::SVCB:
        case RrType::HTTPS:
            good = is_svcb(rdata);
            break;
        default:  // the whole 16-bit space of types
            return ldns_check_rdata(type, rdata);
    }
    return good ? std::nullopt : std::optional<std::string>("the octets do not fit the type");
}

}  // namespace steerd::zones
