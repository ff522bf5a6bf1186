// Writes one response into a buffer handed in: header, the question echoed, sections in order, name
// compression (RFC 1035 §4.1.4), the OPT last (RFC 6891), truncation in this one place (RFC 2181
// §9: TC never leaves half an RRset). Decides nothing: what goes in was decided before. No
// allocation, never throws. Thread rule: one owner, on the stack of a worker.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "dns/edns.h"
#include "dns/name_table.h"
#include "dns/query.h"
#include "dns/rrset.h"
#include "dns/wire.h"

namespace steerd::dns {

enum class Section : std::uint8_t { Answer, Authority, Additional };

class ResponseWriter {
  public:
    /// `limit`: how large the message may become on this transport for this client (at least 512);
    /// the octets the OPT will need are set aside at once. REQUIRES: out.size() >= limit; `query`
    /// and its packet outlive the writer, and `out` does not overlap them.
    ResponseWriter(std::span<std::uint8_t> out, std::size_t limit, const Query& query) noexcept;

    void set_rcode(Rcode rcode) noexcept { rcode_ = rcode; }

    void set_authoritative(bool aa) noexcept { authoritative_ = aa; }

    /// Adds a whole RRset or none of it, with this owner and TTL in place of the RRset's own.
    /// False when it does not fit: in Answer and Authority TC is then set and nothing further is
    /// added to any section. In Additional the RRset is left out and later ones may still fit,
    /// unless `required` (glue of a referral, RFC 9471), which sets TC likewise.
    /// Sections must be filled in order.
    bool add(Section section, NameView owner, Ttl ttl, const RrsetView& rrset,
             bool required = false) noexcept;

    bool add(Section section, const RrsetView& rrset, bool required = false) noexcept {
        return add(section, rrset.owner, rrset.ttl, rrset, required);
    }

    /// A or AAAA records from addresses chosen by steering. All or none, as add().
    bool add_addresses(Section section, NameView owner, Ttl ttl,
                       std::span<const base::IpAddress> addresses) noexcept;
    /// One CNAME made on the spot (steering, DNAME).
    bool add_cname(Section section, NameView owner, Ttl ttl, NameView target) noexcept;

    /// Sets TC and takes nothing in from now on.
    void truncate() noexcept { truncated_ = true; }

    [[nodiscard]] bool truncated() const noexcept { return truncated_; }

    /// The EDNS part, written by finish() when the query had an OPT: scope for ECS (the option is
    /// echoed when the query had it), NSID when asked for and `identity` is not empty.
    void set_ecs_scope(std::uint8_t scope) noexcept { ecs_scope_ = scope; }

    void set_identity(std::span<const std::uint8_t> identity) noexcept;
    /// One more option, at most kMostOptions with NSID. Call it before adding records: where they
    /// leave no room it is left out (false). The octets must live until finish().
    bool add_option(OptionCode code, std::span<const std::uint8_t> value) noexcept;

    /// The EDNS UDP payload size this server announces (1232 unless configured).
    void set_announced_size(std::uint16_t size) noexcept { announced_size_ = size; }

    /// Completes header and OPT, and behind it the TSIG that tells a signed query with RCODE
    /// NOTAUTH that its key is not known (RFC 8945 §5.2.1); the message's size in octets.
    [[nodiscard]] std::size_t finish() noexcept;

  private:
    /// Where to return to when an RRset does not fit.
    struct Mark {
        std::size_t size;
        std::uint8_t names;
    };

    /// The owner, type, class and TTL that all records of one RRset have; the owner is written once
    /// and pointed to from then on (0: it cannot be pointed to).
    struct Head {
        NameView owner;
        RrType type;
        Ttl ttl;
        std::uint16_t pointer = 0;
    };

    [[nodiscard]] bool enter(Section section) noexcept;

    [[nodiscard]] Mark mark() const noexcept { return {writer_.size(), names_.count()}; }

    bool conclude(const Mark& mark, unsigned count, bool truncate) noexcept;

    void put_name(NameView name) noexcept;
    void put_owner(Head& head) noexcept;
    /// Owner to TTL; the place of the length that follows, or nullptr.
    std::uint8_t* put_head(Head& head) noexcept;
    void put_record(Head& head, std::span<const std::uint8_t> rdata) noexcept;
    void put_compressed_record(Head& head, const RdataNames& names,
                               std::span<const std::uint8_t> rdata) noexcept;
    void put_compressed_rdata(const RdataNames& names,
                              std::span<const std::uint8_t> rdata) noexcept;
    void put_opt() noexcept;
    [[nodiscard]] bool put_unknown_key() noexcept;

    static constexpr std::size_t kMostOptions = 4;

    struct Option {
        OptionCode code;
        std::span<const std::uint8_t> value;
    };

    const Query& query_;
    WireWriter writer_;
    NameTable names_;
    std::size_t limit_;
    std::size_t opt_size_ = 0;
    std::array<std::uint16_t, 3> counts_{};
    Section section_ = Section::Answer;
    Rcode rcode_ = Rcode::NoError;
    bool authoritative_ = false;
    bool truncated_ = false;
    bool question_learned_ = false;
    std::uint8_t ecs_scope_ = 0;
    std::uint16_t announced_size_ = 1232;
    std::uint8_t option_count_ = 0;
    std::array<Option, kMostOptions> options_;  // the first option_count_ of them
};

}  // namespace steerd::dns
