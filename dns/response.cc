// Writes a response from front to back; header and OPT come last, into room that was kept for them.
// RFC 1035 §4.1; RFC 2181 §9 (TC never leaves half an RRset); RFC 6891 §6.1, §7; RFC 7871 §7.2.1
// (the option as it came, with our scope); RFC 5001 and others by add_option(). AD and CD are
// cleared and RA is never set: this server neither validates nor recurses. Class ANY in a question
// is answered as IN. Thread rule: one owner, on the stack of a worker.
#include "dns/response.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace steerd::dns {

namespace {

constexpr std::size_t kMaxMessage = 65535;
constexpr std::size_t kOptHead = 11;
constexpr std::size_t kOptionHead = 4;
constexpr std::size_t kSubnetHead = 4;
constexpr std::size_t kRecordHead = 10;  // type, class, TTL, length
constexpr std::uint16_t kQuestionPointer = kPointerBits << 8 | kHeaderSize;

/// The room an OPT takes without further options.
std::size_t opt_size(const Query& query) noexcept {
    if (!query.edns) {
        return 0;
    }
    const auto& subnet = query.edns->subnet;
    return kOptHead + (subnet ? kOptionHead + kSubnetHead + subnet->address_octets.size() : 0);
}

std::uint16_t answer_class(RrClass qclass) noexcept {
    return static_cast<std::uint16_t>(qclass == RrClass::ANY ? RrClass::IN : qclass);
}

RrType address_type(const base::IpAddress& address) noexcept {
    return address.is_v4() ? RrType::A : RrType::AAAA;
}

}  // namespace

ResponseWriter::ResponseWriter(std::span<std::uint8_t> out, std::size_t limit,
                               const Query& query) noexcept
    : query_(query),
      writer_(out.data(), 0),
      limit_(std::min(limit, kMaxMessage)),
      opt_size_(opt_size(query)) {
    CHECK(limit >= kMinUdpSize && out.size() >= limit);
    writer_.set_limit(limit_ - opt_size_);  // at most 35 octets; header and question: up to 271
    (void)writer_.room(kHeaderSize);
    writer_.bytes(query.question);
}

void ResponseWriter::set_identity(std::span<const std::uint8_t> identity) noexcept {
    if (query_.edns && query_.edns->nsid && !identity.empty()) {
        add_option(OptionCode::Nsid, identity);
    }
}

bool ResponseWriter::add_option(OptionCode code, std::span<const std::uint8_t> value) noexcept {
    const std::size_t size = kOptionHead + value.size();
    if (!query_.edns || writer_.size() + opt_size_ + size > limit_) {
        return false;
    }
    CHECK(option_count_ < kMostOptions);
    options_[option_count_++] = {code, value};
    opt_size_ += size;
    writer_.set_limit(limit_ - opt_size_);
    return true;
}

bool ResponseWriter::enter(Section section) noexcept {
    if (truncated_) {
        return false;
    }
    CHECK(section >= section_);
    section_ = section;
    return true;
}

bool ResponseWriter::conclude(const Mark& mark, unsigned count, bool truncate) noexcept {
    if (writer_.ok()) {
        std::uint16_t& records = counts_[static_cast<std::size_t>(section_)];
        records = static_cast<std::uint16_t>(records + count);
        return true;
    }
    writer_.rollback(mark.size);
    names_.rollback(mark.names);
    truncated_ = truncate;
    return false;
}

void ResponseWriter::put_name(NameView name) noexcept {
    if (!question_learned_ && !query_.question.empty()) {
        names_.learn(query_.qname, kHeaderSize);
    }
    question_learned_ = true;
    names_.write(writer_, name);
}

void ResponseWriter::put_owner(Head& head) noexcept {
    if (head.pointer != 0) {
        writer_.u16(head.pointer);
        return;
    }
    const NameView qname = query_.qname;
    const bool is_qname = head.owner.octets().data() == qname.octets().data();
    if (!query_.question.empty() && !head.owner.is_root() &&
        (is_qname || qname.is_at_or_below(head.owner))) {  // nearly all: nothing to search for
        head.pointer =
            static_cast<std::uint16_t>(kQuestionPointer + qname.size() - head.owner.size());
        writer_.u16(head.pointer);
        return;
    }
    const std::size_t at = writer_.size();
    put_name(head.owner);
    if (!writer_.ok() || head.owner.is_root()) {
        return;
    }
    const std::uint8_t* const written = writer_.data() + at;
    if (written[0] >= kPointerBits) {
        head.pointer = load_u16(written);
    } else if (at < kPointerEnd) {
        head.pointer = static_cast<std::uint16_t>(kPointerBits << 8 | at);
    }
}

std::uint8_t* ResponseWriter::put_head(Head& head) noexcept {
    put_owner(head);
    std::uint8_t* const to = writer_.room(10);
    if (to == nullptr) {
        return nullptr;
    }
    store_u16(to, static_cast<std::uint16_t>(head.type));
    store_u16(to + 2, answer_class(query_.qclass));
    store_u32(to + 4, head.ttl.seconds());
    return to + 8;
}

void ResponseWriter::put_compressed_rdata(const RdataNames& names,
                                          std::span<const std::uint8_t> rdata) noexcept {
    auto rest = rdata;
    if (rest.size() >= names.skip) {
        writer_.bytes(rest.first(names.skip));
        rest = rest.subspan(names.skip);
        for (unsigned i = 0; i < names.names; ++i) {
            const auto name = NameView::parse_wire(rest);
            if (!name) {
                break;  // not what the type says: copied as it is
            }
            put_name(*name);
            rest = rest.subspan(name->size());
        }
    }
    writer_.bytes(rest);
}

void ResponseWriter::put_record(Head& head, std::span<const std::uint8_t> rdata) noexcept {
    put_owner(head);
    std::uint8_t* const to = writer_.room(kRecordHead + rdata.size());
    if (to == nullptr) {
        return;
    }
    store_u16(to, static_cast<std::uint16_t>(head.type));
    store_u16(to + 2, answer_class(query_.qclass));
    store_u32(to + 4, head.ttl.seconds());
    store_u16(to + 8, static_cast<std::uint16_t>(rdata.size()));
    if (!rdata.empty()) {
        std::memcpy(to + kRecordHead, rdata.data(), rdata.size());
    }
}

/// As put_record(), with the names in the rdata compressed.
void ResponseWriter::put_compressed_record(Head& head, const RdataNames& names,
                                           std::span<const std::uint8_t> rdata) noexcept {
    std::uint8_t* const length = put_head(head);
    if (length == nullptr) {
        return;
    }
    const std::size_t start = writer_.size();
    put_compressed_rdata(names, rdata);
    store_u16(length, static_cast<std::uint16_t>(writer_.size() - start));
}

bool ResponseWriter::add(Section section, NameView owner, Ttl ttl, const RrsetView& rrset,
                         bool required) noexcept {
    if (!enter(section)) {
        return false;
    }
    const Mark before = mark();
    Head head{owner, rrset.type, ttl};
    const RdataNames names = names_in_rdata(rrset.type);
    auto rest = rrset.records;
    for (unsigned i = 0; i < rrset.count && writer_.ok(); ++i) {
        const std::size_t length = load_u16(rest.data());
        const auto rdata = rest.subspan(2, length);
        if (names.compressible) {
            put_compressed_record(head, names, rdata);
        } else {
            put_record(head, rdata);
        }
        rest = rest.subspan(2 + length);
    }
    return conclude(before, rrset.count, required || section != Section::Additional);
}

bool ResponseWriter::add_addresses(Section section, NameView owner, Ttl ttl,
                                   std::span<const base::IpAddress> addresses) noexcept {
    if (!enter(section)) {
        return false;
    }
    if (addresses.empty()) {
        return true;
    }
    const Mark before = mark();
    Head head{owner, address_type(addresses.front()), ttl};
    for (const base::IpAddress& address : addresses) {
        CHECK(address_type(address) == head.type);
        put_record(head, address.octets());
    }
    return conclude(before, static_cast<unsigned>(addresses.size()),
                    section != Section::Additional);
}

bool ResponseWriter::add_cname(Section section, NameView owner, Ttl ttl, NameView target) noexcept {
    if (!enter(section)) {
        return false;
    }
    const Mark before = mark();
    Head head{owner, RrType::CNAME, ttl};
    put_compressed_record(head, names_in_rdata(RrType::CNAME), target.octets());
    return conclude(before, 1, section != Section::Additional);
}

void ResponseWriter::put_opt() noexcept {
    const Edns& edns = *query_.edns;
    writer_.set_limit(limit_);
    std::uint8_t* const to = writer_.room(kOptHead);
    CHECK(to != nullptr);
    to[0] = 0;  // the root
    store_u16(to + 1, static_cast<std::uint16_t>(RrType::OPT));
    store_u16(to + 3, announced_size_);
    to[5] = static_cast<std::uint8_t>(static_cast<std::uint16_t>(rcode_) >> 4);
    to[6] = 0;  // version
    store_u16(to + 7, edns.dnssec_ok ? 0x8000 : 0);
    store_u16(to + 9, static_cast<std::uint16_t>(opt_size_ - kOptHead));
    if (edns.subnet) {
        const auto address = edns.subnet->address_octets;
        writer_.u16(static_cast<std::uint16_t>(OptionCode::ClientSubnet));
        writer_.u16(static_cast<std::uint16_t>(kSubnetHead + address.size()));
        writer_.u16(edns.subnet->family);
        writer_.u16(static_cast<std::uint16_t>(edns.subnet->prefix.length() << 8 | ecs_scope_));
        writer_.bytes(address);
    }
    for (std::uint8_t i = 0; i < option_count_; ++i) {
        const Option& option = options_[i];
        writer_.u16(static_cast<std::uint16_t>(option.code));
        writer_.u16(static_cast<std::uint16_t>(option.value.size()));
        writer_.bytes(option.value);
    }
}

/// False where there is no room for names that are very long.
bool ResponseWriter::put_unknown_key() noexcept {
    constexpr std::uint16_t kBadKey = 17;
    constexpr std::size_t kBehindHead = 8;  // no MAC, original id, error, no other data
    const Signature& signature = *query_.signature;
    const Name key = WireReader(signature.message, signature.key_at).name();
    const std::size_t before = writer_.size();
    writer_.set_limit(limit_);
    writer_.bytes(key.view().octets());
    writer_.u16(static_cast<std::uint16_t>(RrType::TSIG));
    writer_.u16(static_cast<std::uint16_t>(RrClass::ANY));
    writer_.u16(0);  // TTL, in halves
    writer_.u16(0);
    writer_.u16(static_cast<std::uint16_t>(signature.head.size() + kBehindHead));
    writer_.bytes(signature.head);
    writer_.u16(0);
    writer_.u16(signature.original_id);
    writer_.u16(kBadKey);
    writer_.u16(0);
    if (!writer_.ok()) {
        writer_.rollback(before);
        return false;
    }
    return true;
}

std::size_t ResponseWriter::finish() noexcept {
    unsigned behind = 0;  // the records of sections
    if (query_.edns) {
        put_opt();
        ++behind;
    }
    if (query_.signature && rcode_ == Rcode::NotAuth && put_unknown_key()) [[unlikely]] {
        ++behind;
    }
    std::uint8_t* const header = writer_.data();
    store_u16(header, query_.id);
    header[2] = static_cast<std::uint8_t>(
        0x80U | static_cast<unsigned>(query_.opcode) << 3 | (authoritative_ ? 0x04U : 0U) |
        (truncated_ ? 0x02U : 0U) | (query_.recursion_desired ? 0x01U : 0U));
    header[3] = static_cast<std::uint8_t>(static_cast<std::uint16_t>(rcode_) & 0x0F);
    store_u16(header + 4, query_.question.empty() ? 0 : 1);
    store_u16(header + 6, counts_[0]);
    store_u16(header + 8, counts_[1]);
    store_u16(header + 10, static_cast<std::uint16_t>(counts_[2] + behind));
    return writer_.size();
}

}  // namespace steerd::dns
