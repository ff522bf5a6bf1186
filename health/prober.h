// The edge between the control, which says which check is due, and the probers, which run it on a
// thread of their own: exactly one Verdict for each started check. Pure types; the machinery is in
// health/probers/.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/ip.h"
#include "health/health.h"
#include "health/probe_spec.h"

namespace steerd::health {

enum class CheckId : std::uint32_t {};

/// One check to run now. Several checks (one for each address and probe) share a spec.
struct StartCheck {
    CheckId check{};
    std::uint64_t run = 0;  // handed back with the verdict, so that a late one can be told apart
    base::IpAddress address;
    std::shared_ptr<const ProbeSpec> spec;
};

struct CheckDone {
    CheckId check{};
    std::uint64_t run = 0;
    Verdict verdict;
    base::Mono started{};
    base::Mono ended{};
};

}  // namespace steerd::health
