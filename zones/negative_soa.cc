// The record is composed once by the writer of all responses, behind a question for a name that
// shares nothing but the apex, and its pointers are read off. See negative_soa.h.
// Thread rule: as negative_soa.h.
#include "zones/negative_soa.h"

#include <algorithm>
#include <cstring>

#include "dns/name_octets.h"
#include "dns/query.h"
#include "dns/response.h"
#include "dns/wire.h"

namespace steerd::zones {

namespace {

constexpr std::size_t kOwnerAndHead = 12;  // a pointer, type, class, TTL, length
constexpr std::size_t kMostLabels = 12;    // far below what name compression keeps in mind

/// A name below the apex that neither name of the SOA shares a label with.
dns::Name stranger(std::span<const std::uint8_t> avoided, dns::NameView apex) {
    for (std::uint8_t c = '0';; ++c) {
        const std::uint8_t label[1] = {c};
        const bool taken = std::find(avoided.begin(), avoided.end(), c) != avoided.end();
        if (const auto name = dns::Name::join(label, apex); !taken || !name) {
            return name.value_or(dns::Name());
        }
    }
}

}  // namespace

NegativeSoa::NegativeSoa(const dns::RrsetView& soa, dns::Ttl ttl) {
    const dns::NameView apex = soa.owner;
    if (apex.is_root() || soa.count != 1 || apex.label_count() > kMostLabels) {
        return;
    }
    apex_labels_ = static_cast<std::uint8_t>(apex.label_count());
    auto rest = soa.records.subspan(2);
    for (int i = 0; i < 2; ++i) {  // MNAME, RNAME
        const auto name = dns::NameView::parse_wire(rest);
        if (!name || name->label_count() > kMostLabels) {
            return;
        }
        avoid_label_of(*name, apex);
        rest = rest.subspan(name->size());
    }
    const dns::Name qname = stranger(avoided_, apex);
    if (qname.is_root()) {
        return;
    }
    std::vector<std::uint8_t> question(qname.view().octets().begin(), qname.view().octets().end());
    question.insert(question.end(), {0, 1, 0, 1});
    dns::Query query;
    query.question = question;
    query.qname = dns::NameView(std::span(question).first(qname.size()));
    query.qtype = dns::RrType::A;
    query.qclass = dns::RrClass::IN;
    std::array<std::uint8_t, 2048> out{};
    dns::ResponseWriter writer(out, out.size(), query);
    const bool fitted = writer.add(dns::Section::Authority, apex, ttl, soa);
    const std::size_t start = dns::kHeaderSize + question.size();
    const std::size_t end = writer.finish();
    octets_.assign(out.begin() + static_cast<std::ptrdiff_t>(start),
                   out.begin() + static_cast<std::ptrdiff_t>(end));
    const std::size_t name_end = dns::kHeaderSize + qname.size();
    std::size_t owner = 0;
    std::size_t at = kOwnerAndHead;
    const bool whole = fitted && read_name(owner, name_end) && owner == 2 &&
                       read_name(at, name_end) && read_name(at, name_end);
    if (!whole) {
        octets_.clear();
    }
    octets_.shrink_to_fit();
}

/// Takes note of the pointer that ends the name at `at` and goes behind it.
bool NegativeSoa::read_name(std::size_t& at, std::size_t name_end) {
    while (at + 1 < octets_.size() && octets_[at] != 0 && octets_[at] < dns::kPointerBits) {
        at += 1U + octets_[at];
    }
    if (at + 1 >= octets_.size()) {
        return false;
    }
    if (octets_[at] == 0) {
        ++at;
        return true;
    }
    const int target = dns::load_u16(octets_.data() + at) & (dns::kPointerEnd - 1);
    pointers_[pointer_count_++] = {static_cast<std::uint16_t>(at),
                                   static_cast<std::int16_t>(target - static_cast<int>(name_end))};
    at += 2;
    return true;
}

void NegativeSoa::avoid_label_of(dns::NameView name, dns::NameView apex) {
    if (name.size() > apex.size() && name.is_at_or_below(apex)) {
        const auto from = name.suffix(apex_labels_ + 1U).octets();
        avoided_.insert(avoided_.end(), from.begin(), from.begin() + 1 + from[0]);
    }
}

bool NegativeSoa::fits(const dns::SplitName& qname) const noexcept {
    if (octets_.empty()) {
        return false;
    }
    if (qname.label_count() <= apex_labels_) {
        return true;
    }
    const std::uint8_t* const label = qname.suffix(apex_labels_ + 1U).octets().data();
    const std::uint8_t* const end = avoided_.data() + avoided_.size();
    for (const std::uint8_t* at = avoided_.data(); at != end; at += 1U + *at) {
        if (*at == *label && dns::equal_ignoring_case(at + 1, label + 1, *label)) {
            return false;
        }
    }
    return true;
}

void NegativeSoa::write(std::size_t name_end, std::uint8_t* to) const noexcept {
    std::memcpy(to, octets_.data(), octets_.size());
    for (unsigned i = 0; i < pointer_count_; ++i) {
        const Pointer& pointer = pointers_.data()[i];
        const auto target = static_cast<unsigned>(static_cast<int>(name_end) + pointer.past);
        dns::store_u16(to + pointer.at,
                       static_cast<std::uint16_t>(dns::kPointerBits << 8 | target));
    }
}

}  // namespace steerd::zones
