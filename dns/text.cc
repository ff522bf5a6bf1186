// Rdata to presentation form. RFC 1035 §3.3, §5.1; RFC 2782 (SRV); RFC 3597 §5; RFC 8659 §4.1
// (CAA). Each form is all or nothing: rdata with too little or too much in it is shown as unknown,
// so that nothing is hidden. Thread rule: pure functions.
#include "dns/text.h"

#include <optional>

#include "base/ip.h"
#include "dns/wire.h"

namespace steerd::dns {

namespace {

using Octets = std::span<const std::uint8_t>;

void append_quoted(std::string& out, Octets octets) {
    out += '"';
    for (const std::uint8_t c : octets) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += static_cast<char>(c);
        } else if (c >= 0x20 && c < 0x7F) {
            out += static_cast<char>(c);
        } else {
            out += '\\';
            out += static_cast<char>('0' + c / 100);
            out += static_cast<char>('0' + c / 10 % 10);
            out += static_cast<char>('0' + c % 10);
        }
    }
    out += '"';
}

bool is_alphanumeric(std::uint8_t c) noexcept {
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z');
}

std::string address_text(base::IpFamily family, WireReader& reader) {
    const auto octets = reader.take(base::bits_of(family) / 8U);
    return reader.ok() ? base::IpAddress::from_octets(family, octets).text() : "";
}

std::string txt_text(WireReader& reader) {
    std::string out;
    do {
        const std::size_t length = reader.u8();
        out += out.empty() ? "" : " ";
        append_quoted(out, reader.take(length));
    } while (reader.ok() && !reader.at_end());
    return out;
}

/// `count` 16-bit numbers and a name.
std::string numbers_and_name_text(WireReader& reader, int count) {
    std::string out;
    for (int i = 0; i < count; ++i) {
        out += std::to_string(reader.u16()) + " ";
    }
    return out + reader.plain_name().to_text();
}

std::string soa_text(WireReader& reader) {
    std::string out = reader.plain_name().to_text();
    out += " " + reader.plain_name().to_text();
    for (int i = 0; i < 5; ++i) {
        out += " " + std::to_string(reader.u32());
    }
    return out;
}

std::string caa_text(WireReader& reader, std::size_t size) {
    std::string out = std::to_string(reader.u8()) + " ";
    const std::size_t tag_length = reader.u8();
    const auto tag = reader.take(tag_length);
    for (const std::uint8_t c : tag) {
        if (!is_alphanumeric(c)) {
            reader.fail();
        }
        out += static_cast<char>(c);
    }
    if (tag.empty()) {
        reader.fail();
    }
    out += ' ';
    append_quoted(out, reader.ok() ? reader.take(size - reader.at()) : Octets{});
    return out;
}

/// nullopt for a type without a form here; the reader tells whether the rdata had that form.
std::optional<std::string> known_text(RrType type, WireReader& reader, std::size_t size) {
    switch (type) {
        case RrType::A:
            return address_text(base::IpFamily::V4, reader);
        case RrType::AAAA:
            return address_text(base::IpFamily::V6, reader);
        case RrType::NS:
        case RrType::CNAME:
        case RrType::PTR:
        case RrType::DNAME:
            return numbers_and_name_text(reader, 0);
        case RrType::MX:
            return numbers_and_name_text(reader, 1);
        case RrType::SRV:
            return numbers_and_name_text(reader, 3);
        case RrType::TXT:
            return txt_text(reader);
        case RrType::SOA:
            return soa_text(reader);
        case RrType::CAA:
            return caa_text(reader, size);
        default:
            return std::nullopt;
    }
}

}  // namespace

std::string rdata_to_unknown_text(Octets rdata) {
    static constexpr char kHex[] = "0123456789abcdef";
    std::string out = "\\# " + std::to_string(rdata.size());
    out += rdata.empty() ? "" : " ";
    for (const std::uint8_t c : rdata) {
        out += kHex[c >> 4];
        out += kHex[c & 0x0F];
    }
    return out;
}

std::string rdata_to_text(RrType type, Octets rdata) {
    WireReader reader(rdata);
    auto text = known_text(type, reader, rdata.size());
    if (text && reader.ok() && reader.at_end()) {
        return *std::move(text);
    }
    return rdata_to_unknown_text(rdata);
}

}  // namespace steerd::dns
