// The client side of the codec. RFC 1035 §4.1.4 (pointers followed in owners and in the rdata of
// types whose names have a known place, RFC 3597 §4), RFC 6891 §6.1.3 (extended RCODE), RFC 7871
// §6. A message needs at least 11 octets for a record, and a record becomes at most some hundred
// octets more than it was, so hostile counts and pointers cost no more than the message's own size
// allows. Thread rule: pure functions.
#include "dns/message.h"

#include <algorithm>
#include <iterator>

#include "dns/edns.h"
#include "dns/text.h"
#include "dns/wire.h"

namespace steerd::dns {

namespace {

using Octets = std::span<const std::uint8_t>;

constexpr std::uint16_t kFamilyV4 = 1;
constexpr std::uint16_t kFamilyV6 = 2;

void append(std::vector<std::uint8_t>& out, Octets octets) {
    out.insert(out.end(), octets.begin(), octets.end());
}

void append_u16(std::vector<std::uint8_t>& out, unsigned value) {
    out.push_back(static_cast<std::uint8_t>(value >> 8));
    out.push_back(static_cast<std::uint8_t>(value));
}

/// The rdata that stands at the reader, its names uncompressed; nullopt when a name is broken or
/// reaches behind the rdata.
std::optional<std::vector<std::uint8_t>> read_rdata(Octets message, WireReader& reader, RrType type,
                                                    std::size_t length) {
    const std::size_t start = reader.at();
    const auto raw = reader.take(length);
    if (!reader.ok()) {
        return std::nullopt;
    }
    const RdataNames names = names_in_rdata(type);
    if (names.names == 0 || length == 0) {  // without rdata: RFC 2136 and the like
        return std::vector<std::uint8_t>(raw.begin(), raw.end());
    }
    std::vector<std::uint8_t> rdata;
    WireReader inside(message.first(start + length), start);
    append(rdata, inside.take(names.skip));
    for (unsigned i = 0; i < names.names; ++i) {
        append(rdata, inside.name().view().octets());
    }
    if (!inside.ok()) {
        return std::nullopt;
    }
    append(rdata, inside.take(start + length - inside.at()));
    return rdata;
}

void read_subnet(Octets option, MessageEdns& edns) {
    WireReader reader(option);
    const std::uint16_t family = reader.u16();
    const unsigned source = reader.u8();
    const std::uint8_t scope = reader.u8();
    if (!reader.ok() || (family != kFamilyV4 && family != kFamilyV6)) {
        return;
    }
    const auto ip_family = family == kFamilyV4 ? base::IpFamily::V4 : base::IpFamily::V6;
    const auto octets = option.subspan(reader.at());
    if (source > base::bits_of(ip_family) || octets.size() != (source + 7) / 8) {
        return;
    }
    edns.subnet = base::IpPrefix(base::IpAddress::from_octets(ip_family, octets), source);
    edns.subnet_scope = scope;
}

bool read_options(Octets options, MessageEdns& edns) {
    WireReader reader(options);
    while (reader.ok() && !reader.at_end()) {
        const auto code = static_cast<OptionCode>(reader.u16());
        const std::size_t length = reader.u16();
        const auto value = reader.take(length);
        if (!reader.ok()) {
            return false;
        }
        if (code == OptionCode::ClientSubnet) {
            read_subnet(value, edns);
        } else if (code == OptionCode::Nsid) {
            edns.nsid.emplace(value.begin(), value.end());
        }
    }
    return true;
}

/// nullptr, or what is wrong with the OPT.
const char* read_opt(const Record& record, std::uint32_t ttl, Message& message) {
    if (message.edns) {
        return "two OPT records";
    }
    if (record.section != Section::Additional || !record.owner.is_root()) {
        return "an OPT record where none may be";
    }
    MessageEdns& edns = message.edns.emplace();
    edns.udp_size = static_cast<std::uint16_t>(record.rrclass);
    edns.version = static_cast<std::uint8_t>(ttl >> 16);
    edns.dnssec_ok = (ttl & 0x8000U) != 0;
    message.rcode = static_cast<Rcode>(static_cast<unsigned>(message.rcode) | ttl >> 24 << 4);
    return read_options(record.rdata, edns) ? nullptr : "an EDNS option ends behind its record";
}

/// nullptr, or what is wrong with the record at the reader.
const char* read_record(Octets octets, WireReader& reader, Section section, Message& message) {
    Record record;
    record.section = section;
    record.owner = reader.name();
    record.type = static_cast<RrType>(reader.u16());
    record.rrclass = static_cast<RrClass>(reader.u16());
    const std::uint32_t ttl = reader.u32();
    record.ttl = Ttl(ttl);
    const std::size_t length = reader.u16();
    if (!reader.ok()) {
        return "a record ends early";
    }
    auto rdata = read_rdata(octets, reader, record.type, length);
    if (!rdata) {
        return "the data of a record is broken";
    }
    record.rdata = *std::move(rdata);
    if (record.type == RrType::OPT) {
        return read_opt(record, ttl, message);
    }
    message.records.push_back(std::move(record));
    return nullptr;
}

Message read_header(Octets octets) {
    Message message;
    message.id = load_u16(octets.data());
    const unsigned flags = load_u16(octets.data() + 2);
    message.response = (flags & 0x8000U) != 0;
    message.opcode = static_cast<Opcode>(flags >> 11 & 0x0F);
    message.authoritative = (flags & 0x0400U) != 0;
    message.truncated = (flags & 0x0200U) != 0;
    message.recursion_desired = (flags & 0x0100U) != 0;
    message.recursion_available = (flags & 0x0080U) != 0;
    message.authentic_data = (flags & 0x0020U) != 0;
    message.checking_disabled = (flags & 0x0010U) != 0;
    message.rcode = static_cast<Rcode>(flags & 0x0F);
    return message;
}

void append_option(std::vector<std::uint8_t>& out, OptionCode code, Octets value) {
    append_u16(out, static_cast<std::uint16_t>(code));
    append_u16(out, static_cast<unsigned>(value.size()));
    append(out, value);
}

std::vector<std::uint8_t> compose_options(const QueryEdns& edns) {
    std::vector<std::uint8_t> options;
    if (edns.nsid) {
        append_option(options, OptionCode::Nsid, {});
    }
    if (edns.subnet) {
        const base::IpAddress& address = edns.subnet->address();
        const unsigned length = edns.subnet->length();
        std::vector<std::uint8_t> value;
        append_u16(value, address.is_v4() ? kFamilyV4 : kFamilyV6);
        append_u16(value, length << 8);  // scope 0 in a query
        append(value, address.octets().first((length + 7) / 8));
        append_option(options, OptionCode::ClientSubnet, value);
    }
    return options;
}

}  // namespace

std::string Record::rdata_text() const { return rdata_to_text(type, rdata); }

std::string Record::text() const {
    return owner.to_text() + " " + std::to_string(ttl.seconds()) + " " + to_text(rrclass) + " " +
           to_text(type) + " " + rdata_text();
}

std::vector<Record> Message::section(Section section) const {
    std::vector<Record> found;
    std::copy_if(records.begin(), records.end(), std::back_inserter(found),
                 [section](const Record& record) { return record.section == section; });
    return found;
}

base::Result<Message, std::string> parse_message(Octets octets) {
    if (octets.size() < kHeaderSize) {
        return base::Err{std::string("shorter than a header")};
    }
    Message message = read_header(octets);
    WireReader reader(octets, kHeaderSize);
    for (unsigned count = load_u16(octets.data() + 4); count > 0; --count) {
        Question question;
        question.name = reader.name();
        question.type = static_cast<RrType>(reader.u16());
        question.rrclass = static_cast<RrClass>(reader.u16());
        if (!reader.ok()) {
            return base::Err{std::string("the question is broken")};
        }
        message.questions.push_back(question);
    }
    for (const Section section : {Section::Answer, Section::Authority, Section::Additional}) {
        const std::size_t count_at = 6 + 2 * static_cast<std::size_t>(section);
        for (unsigned count = load_u16(octets.data() + count_at); count > 0; --count) {
            if (const char* error = read_record(octets, reader, section, message)) {
                return base::Err{std::string(error)};
            }
        }
    }
    if (!reader.at_end()) {
        return base::Err{std::string("octets behind the message")};
    }
    return message;
}

std::vector<std::uint8_t> compose_query(NameView name, RrType type, const QueryOptions& options) {
    std::vector<std::uint8_t> out;
    append_u16(out, options.id);
    append_u16(
        out, (options.recursion_desired ? 0x0100U : 0U) | (options.checking_disabled ? 0x10U : 0U));
    append_u16(out, 1);
    append_u16(out, 0);
    append_u16(out, 0);
    append_u16(out, options.edns ? 1 : 0);
    append(out, name.octets());
    append_u16(out, static_cast<std::uint16_t>(type));
    append_u16(out, static_cast<std::uint16_t>(options.rrclass));
    if (options.edns) {
        const QueryEdns& edns = *options.edns;
        const auto rdata = compose_options(edns);
        out.push_back(0);  // the root
        append_u16(out, static_cast<std::uint16_t>(RrType::OPT));
        append_u16(out, edns.udp_size);
        append_u16(out, edns.version);
        append_u16(out, edns.dnssec_ok ? 0x8000 : 0);
        append_u16(out, static_cast<unsigned>(rdata.size()));
        append(out, rdata);
    }
    return out;
}

}  // namespace steerd::dns
