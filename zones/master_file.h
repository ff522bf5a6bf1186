// Master files to records: owners, TTLs, classes and types of entries, and the directives $ORIGIN,
// $TTL, $INCLUDE and $GENERATE. RFC 1035 §5, RFC 2308 §4 ($TTL), RFC 2181 §8 (TTLs). Goes on behind
// each mistake, so that one run shows them all. What a file may cost is bounded: octets, includes,
// their depth, generated records. An $INCLUDE reaches nothing outside the folder of the zone's
// file. Deliberately does not judge what may stand beside what: zone_builder.cc does. Thread rule:
// one thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "zones/tokenizer.h"
#include "zones/zone_builder.h"

namespace steerd::zones {

inline constexpr std::size_t kMaxIncludeDepth = 10;
inline constexpr std::size_t kMaxIncludes = 10'000;
inline constexpr std::uint64_t kMaxGenerated = 1 << 20;

class MasterFileReader {
  public:
    /// `builder` and `report` must outlive the reader.
    MasterFileReader(const dns::Name& apex, ZoneBuilder& builder, Report& report)
        : apex_(apex), builder_(&builder), report_(&report), origin_(apex) {}

    /// Lets $INCLUDE read from the folder of the zone's file; without this it is an error.
    void allow_includes(const std::string& path);

    /// Reads the zone's file. `name` stands in messages.
    void read(TextSource source, const std::string& name);

  private:
    enum class OwnerState : std::uint8_t { None, Good, Bad };

    /// What stands between owner and rdata.
    struct Middle {
        std::optional<std::uint32_t> ttl_s;
        dns::RrType type{};
        std::size_t rdata = 0;  // its first token
    };

    void read_entries(Tokenizer& tokens);
    void record(const Entry& entry);
    void owner(const Entry& entry);
    [[nodiscard]] std::optional<Middle> middle(const Entry& entry, std::size_t at);
    [[nodiscard]] std::optional<dns::RrType> type(const Entry& entry, std::size_t at);
    [[nodiscard]] std::optional<std::uint32_t> ttl_of(const Entry& entry, const Middle& middle);

    void directive(const Entry& entry);
    void set_origin(const Entry& entry);
    void set_ttl(const Entry& entry);
    void include(const Entry& entry);
    void include_file(const Entry& entry, const std::string& word, const std::string& path);
    void generate(const Entry& entry);
    [[nodiscard]] bool takes_words(const Entry& entry, std::size_t least, std::size_t most);

    void error(const Entry& entry, std::size_t token, std::string message);

    [[nodiscard]] TextPos pos(const Token& token) const {
        return {file_, token.line, token.column};
    }

    dns::Name apex_;
    ZoneBuilder* builder_;
    Report* report_;
    std::string folder_;  // as it was written

    dns::Name origin_;
    dns::Name owner_;
    OwnerState owner_state_ = OwnerState::None;
    std::optional<std::uint32_t> default_ttl_s_;
    std::optional<std::uint32_t> soa_minimum_s_;
    bool told_no_ttl_ = false;

    std::uint16_t file_ = 0;
    std::vector<std::string> open_;  // real paths of the files being read, outermost first
    std::size_t includes_ = 0;
    std::uint64_t generated_ = 0;
    std::uint64_t octets_ = 0;  // of the files read to their end
    std::vector<std::uint8_t> rdata_;
};

}  // namespace steerd::zones
