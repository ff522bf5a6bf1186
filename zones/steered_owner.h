// A name of a zone whose addresses come from a route: what this folder must know of it, and no
// more. Thread rule: a value.
#pragma once

#include <cstdint>

#include "base/problem.h"
#include "dns/name.h"

namespace steerd::zones {

struct SteeredOwner {
    dns::Name owner;              // may be the apex, or a wildcard ("*.apps.example.com.")
    base::SourcePos at;           // where the configuration says so
    bool cname_possible = false;  // a CNAME member stands somewhere under its route
    std::uint32_t index = 0;      // what Finding::steer will say
};

}  // namespace steerd::zones
