// What a validation writes down while real resolvers run: each fetch that a resolver sent to the
// server, and each answer that it gave. Times are seconds on the steady clock since the validation
// began. Where a life ends on a whole second of the wall clock, as it does in every resolver
// measured, `second_s` says where such a second lay. Thread rule: plain values.
#pragma once

#include <cstdint>
#include <vector>

namespace steerd::drill {

struct LoggedFetch {
    std::uint32_t name = 0;
    double asked_s = 0;     // the resolver's question passed
    double answered_s = 0;  // the server's answer was handed on
    double second_s = 0;    // the last whole second of the wall clock before answered_s
    std::uint32_t ttl_s = 0;
    bool old = false;  // it named what dies
};

struct LoggedAnswer {
    std::uint32_t name = 0;
    double sent_s = 0;
    double got_s = 0;
    bool old = false;
};

/// Both in the order of time.
struct ResolverLog {
    std::vector<LoggedFetch> fetches;
    std::vector<LoggedAnswer> answers;
    std::uint64_t failed = 0;  // questions answered with an error, or never
};

}  // namespace steerd::drill
