// One query asked the short way and by the walk (with a Trace answer() walks): octets and outcome
// must be the same. Counts what was really answered the short way, so that a test can tell that it
// tested something.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "policy/answer.h"
#include "policy/answer_common.h"
#include "policy/trace.h"

namespace steerd::policy::testing {

class BothWays {
  public:
    /// True when the octets were an answer.
    bool agree(const Snapshot& snapshot, const Request& request) {
        Trace trace;
        Outcome common;
        const bool is_short = answer_common(snapshot, request, out_, common);
        const Outcome quick = answer(snapshot, request, out_);
        const Outcome walked = answer(snapshot, request, walked_, &trace);
        short_ += is_short ? 1 : 0;
        EXPECT_EQ(octets(out_, quick), octets(walked_, walked)) << trace.finding;
        EXPECT_EQ(quick.rcode, walked.rcode);
        EXPECT_EQ(quick.kind, walked.kind);
        EXPECT_EQ(quick.truncated, walked.truncated);
        EXPECT_EQ(quick.cookie, walked.cookie);
        EXPECT_EQ(quick.zone, walked.zone);
        EXPECT_EQ(quick.steered, walked.steered);
        EXPECT_EQ(quick.ttl_s, walked.ttl_s);
        EXPECT_EQ(quick.source, walked.source);
        if (walked.steered != kNone) {
            expect_same(quick.decision, walked.decision);
        }
        return quick.size > 0;
    }

    /// How many so far were answered the short way.
    [[nodiscard]] int answered_short() const { return short_; }

  private:
    template <typename Octets>
    static std::vector<std::uint8_t> octets(const Octets& from, const Outcome& outcome) {
        return std::vector<std::uint8_t>(from.begin(), from.begin() + outcome.size);
    }

    static void expect_same(const Decision& a, const Decision& b) {
        EXPECT_EQ(a.kind, b.kind);
        EXPECT_EQ(a.fail_open, b.fail_open);
        EXPECT_EQ(a.ttl_s, b.ttl_s);
        const auto endpoints = [](const Decision& d) {
            return std::vector(d.endpoints.begin(), d.endpoints.begin() + d.endpoint_count);
        };
        const auto slots = [](const Decision& d) {
            return std::vector(d.slots.begin(), d.slots.begin() + d.slot_count);
        };
        EXPECT_EQ(endpoints(a), endpoints(b));
        EXPECT_EQ(slots(a), slots(b));
    }

    std::array<std::uint8_t, kMaxTcpAnswer> out_{};
    std::array<std::uint8_t, kMaxTcpAnswer> walked_{};
    int short_ = 0;
};

}  // namespace steerd::policy::testing
