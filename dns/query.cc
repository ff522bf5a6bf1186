// One pass over a message: header, question, then every record is at least stepped over, so that
// what is answered is known to be a whole message. The OPT is remembered on the way and its options
// are read last, when nothing else is wrong. RFC 1035 §4.1, RFC 6891 §6.1.1, RFC 9619.
// A TSIG stands last; what it says is not verified, since we have no key: NOTAUTH (RFC 8945 §5.2).
// Other records are looked at no further.
// Thread rule: pure functions.
#include "dns/query.h"

#include "dns/edns.h"
#include "dns/wire.h"

namespace steerd::dns {

namespace {

constexpr std::uint8_t kQrBit = 0x80;
constexpr std::uint8_t kRdBit = 0x01;
constexpr std::uint8_t kCdBit = 0x10;
constexpr std::uint8_t kDoBit = 0x80;  // of the third octet where a TTL would be

struct Counts {
    unsigned before_additional = 0;  // ANCOUNT + NSCOUNT
    unsigned additional = 0;
};

/// The OPT as it was met; the rest of the message decides whether its options are looked at.
struct Opt {
    std::span<const std::uint8_t> options;
    std::uint8_t version = 0;
};

/// The single question; an error leaves the query without one.
void read_question(WireReader& reader, std::span<const std::uint8_t> packet,
                   Query& query) noexcept {
    const NameView qname = reader.plain_name();  // nothing is before it that could be pointed to
    const auto rest = reader.take(4);
    if (reader.ok()) {
        query.question = packet.subspan(kHeaderSize, reader.at() - kHeaderSize);
        query.qname = qname;
        query.qtype = static_cast<RrType>(load_u16(rest.data()));
        query.qclass = static_cast<RrClass>(load_u16(rest.data() + 2));
    }
}

/// RFC 8945 §4.2: true when it is whole.
bool read_signature(std::span<const std::uint8_t> rdata, Signature& signature) noexcept {
    WireReader reader(rdata);
    (void)reader.plain_name();  // the algorithm
    (void)reader.take(8);       // time signed, fudge
    signature.head = rdata.first(reader.at());
    (void)reader.take(reader.u16());  // the MAC
    signature.original_id = reader.u16();
    (void)reader.u16();  // error
    (void)reader.take(reader.u16());
    return reader.ok() && reader.at_end();
}

/// Steps over one record. An OPT is taken in when it may stand here; false is FORMERR.
bool read_record(WireReader& reader, bool in_additional, Query& query, Opt& opt) noexcept {
    const std::size_t owner_at = reader.at();
    reader.skip_name();
    const bool root_owner = reader.at() == owner_at + 1;
    const auto head = reader.take(10);
    if (!reader.ok()) {
        return false;
    }
    const auto type = static_cast<RrType>(load_u16(head.data()));
    const std::uint16_t rrclass = load_u16(head.data() + 2);
    const std::size_t length = load_u16(head.data() + 8);
    const auto rdata = reader.take(length);
    if (!reader.ok() || query.signature) {  // a TSIG is the last record
        return false;
    }
    if (type == RrType::TSIG) {
        auto& signature = query.signature.emplace();
        signature.key_at = owner_at;
        return in_additional && rrclass == static_cast<std::uint16_t>(RrClass::ANY) &&
               read_signature(rdata, signature);
    }
    if (type != RrType::OPT) {
        return true;
    }
    if (!in_additional || !root_owner || query.edns) {  // RFC 6891 §6.1.1, §6.1.2
        return false;
    }
    Edns& edns = query.edns.emplace();
    edns.udp_size = rrclass < kMinUdpSize ? std::uint16_t{kMinUdpSize} : rrclass;  // §6.2.3
    edns.dnssec_ok = (head[6] & kDoBit) != 0;
    opt.version = head[5];
    opt.options = rdata;
    return true;
}

/// Everything behind the question: the RCODE that says what is wrong, or NoError.
Rcode read_rest(WireReader& reader, const Counts& counts, Query& query) noexcept {
    Opt opt;
    for (unsigned i = 0; i < counts.before_additional + counts.additional; ++i) {
        if (!read_record(reader, i >= counts.before_additional, query, opt)) {
            return Rcode::FormErr;
        }
    }
    if (!reader.at_end()) {
        return Rcode::FormErr;
    }
    const Rcode good = query.signature ? Rcode::NotAuth : Rcode::NoError;
    if (!query.edns) {
        return good;
    }
    if (opt.version != 0) {  // §6.1.3; the options of another version may mean anything
        return Rcode::BadVers;
    }
    return parse_options(opt.options, *query.edns) ? good : Rcode::FormErr;
}

}  // namespace

ParsedQuery parse_query(std::span<const std::uint8_t> packet) noexcept {
    ParsedQuery parsed;
    if (packet.size() < kHeaderSize || (packet[2] & kQrBit) != 0) {
        return parsed;  // answering an answer could go round for ever
    }
    parsed.verdict = QueryVerdict::Reply;
    Query& query = parsed.query;
    query.id = load_u16(packet.data());
    query.opcode = static_cast<Opcode>(packet[2] >> 3 & 0x0F);
    query.recursion_desired = (packet[2] & kRdBit) != 0;
    query.checking_disabled = (packet[3] & kCdBit) != 0;

    WireReader reader(packet, kHeaderSize);
    const unsigned questions = load_u16(packet.data() + 4);
    if (questions == 1) {
        read_question(reader, packet, query);
    } else {
        for (unsigned i = 0; i < questions && reader.ok(); ++i) {
            (void)reader.plain_name();
            (void)reader.u32();
        }
    }
    // Also for a message that is refused already: an OPT in it is answered by one (RFC 6891
    // §6.1.1).
    const Counts counts{
        .before_additional = load_u16(packet.data() + 6) + unsigned{load_u16(packet.data() + 8)},
        .additional = load_u16(packet.data() + 10)};
    const Rcode rest = reader.ok() ? read_rest(reader, counts, query) : Rcode::FormErr;
    if (query.signature) {
        query.signature->message = packet;
    }

    if (query.opcode != Opcode::Query) {
        parsed.rcode = Rcode::NotImp;
    } else if (questions == 0 && rest == Rcode::NoError && query.edns &&
               !query.edns->cookie.empty()) {
        parsed.rcode = Rcode::NoError;  // only a cookie is asked for
    } else if (questions != 1) {        // RFC 9619 §4
        parsed.rcode = Rcode::FormErr;
    } else if (rest != Rcode::NoError) {
        parsed.rcode = rest;
    } else {
        parsed.verdict = QueryVerdict::Query;
    }
    return parsed;
}

}  // namespace steerd::dns
