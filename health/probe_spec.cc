// The words of probe types. Thread rule: pure functions.
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

}  // namespace steerd::health
