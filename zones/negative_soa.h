// The SOA record that goes with "not there", made ready when a zone is loaded: as it would be
// written behind the question, with notes where its names point back into the message. A query
// copies it and moves the pointers. Why so: half of what some servers are asked is not there, and
// compressing the same two names each time costs more than everything else in such an answer.
//
// A question whose name shares more than the apex with a name of the SOA would be compressed
// further; fits() says no to those, and for a zone of the root nothing is made ready at all.
// RFC 1035 §4.1.4, RFC 2308 §3 and §5 (TTL). Deliberately knows no RCODE: NXDOMAIN and NODATA carry
// the same. Thread rule: immutable, any thread; nothing but the constructor allocates.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "dns/rrset.h"
#include "dns/split_name.h"

namespace steerd::zones {

class NegativeSoa {
  public:
    /// Nothing is ready.
    NegativeSoa() = default;
    /// REQUIRES: `soa` is that of the zone, its owner the apex.
    NegativeSoa(const dns::RrsetView& soa, dns::Ttl ttl);

    /// Whether the record is the right one behind a question for this name.
    /// REQUIRES: the name is at or below the apex.
    [[nodiscard]] bool fits(const dns::SplitName& qname) const noexcept;

    /// Octets that write() writes.
    [[nodiscard]] std::size_t size() const noexcept { return octets_.size(); }

    /// Writes the record; `name_end`: where in the message the question's name ends.
    /// REQUIRES: fits(); the question is the first and the record follows it.
    void write(std::size_t name_end, std::uint8_t* to) const noexcept;

  private:
    struct Pointer {
        std::uint16_t at = 0;   // in octets_
        std::int16_t past = 0;  // where it points, counted from the end of the question's name
    };

    [[nodiscard]] bool read_name(std::size_t& at, std::size_t name_end);
    void avoid_label_of(dns::NameView name, dns::NameView apex);

    std::vector<std::uint8_t> octets_;
    std::vector<std::uint8_t> avoided_;  // labels below the apex in the SOA's names
    std::array<Pointer, 3> pointers_{};
    std::uint8_t pointer_count_ = 0;
    std::uint8_t apex_labels_ = 0;
};

}  // namespace steerd::zones
