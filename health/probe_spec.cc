// The words of probe types, and the fingerprint of a probe's target (FNV-1a, 64 bits: small, and
// the same everywhere). Thread rule: pure functions.
#include "health/probe_spec.h"

namespace steerd::health {

std::string_view to_text(ProbeType type) noexcept {
    switch (type) {
        case ProbeType::Http:
            return "http";
        case ProbeType::Https:
            return "https";
        case ProbeType::Tcp:
            return "tcp";
        case ProbeType::Dns:
            return "dns";
        case ProbeType::Exec:
            return "exec";
    }
    return "http";
}

std::optional<ProbeType> parse_probe_type(std::string_view text) noexcept {
    for (const ProbeType type :
         {ProbeType::Http, ProbeType::Https, ProbeType::Tcp, ProbeType::Dns, ProbeType::Exec}) {
        if (text == to_text(type)) {
            return type;
        }
    }
    return std::nullopt;
}

namespace {

class Fingerprint {
  public:
    void number(std::uint64_t value) noexcept {
        for (unsigned shift = 0; shift < 64; shift += 8) {
            octet(static_cast<std::uint8_t>(value >> shift));
        }
    }

    /// With its length first, so that two texts never read as one.
    void text(std::string_view value) noexcept {
        number(value.size());
        for (const char c : value) {
            octet(static_cast<std::uint8_t>(c));
        }
    }

    [[nodiscard]] std::uint64_t value() const noexcept { return hash_; }

  private:
    void octet(std::uint8_t value) noexcept { hash_ = (hash_ ^ value) * 0x100000001B3ULL; }

    std::uint64_t hash_ = 0xCBF29CE484222325ULL;
};

}  // namespace

std::uint64_t target_fingerprint(const ProbeSpec& spec) noexcept {
    Fingerprint print;
    print.number(static_cast<std::uint64_t>(spec.type));
    print.number(spec.port);
    print.text(spec.path);
    print.text(spec.host);
    print.number(spec.expect_status.size());
    for (const auto& [from, to] : spec.expect_status) {
        print.number(static_cast<std::uint64_t>(from));
        print.number(static_cast<std::uint64_t>(to));
    }
    print.text(spec.expect_body);
    print.number(spec.verify ? 1 : 0);
    print.text(spec.ca_file);
    print.text(spec.query_name);
    print.number(spec.query_type);
    print.number(spec.command.size());
    for (const std::string& argument : spec.command) {
        print.text(argument);
    }
    return print.value();
}

}  // namespace steerd::health
