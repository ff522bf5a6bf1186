// Answers are counted by zone, name and endpoint: exactly, within a bound whatever is configured,
// and over reloads for what keeps its name, threads at work or not (also in the ThreadSanitizer
// build).
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "server/snapshot_cell.h"

namespace steerd::server {
namespace {

using policy::Transport;

struct NamedEndpoints {
    std::string name;
    std::vector<std::uint32_t> endpoints;
};

/// A plan as far as counting looks at it: each name has a tree of its own.
std::shared_ptr<policy::Plan> plan_of(const std::vector<std::string>& zones,
                                      const std::vector<std::string>& endpoints,
                                      const std::vector<NamedEndpoints>& names) {
    auto plan = std::make_shared<policy::Plan>();
    std::vector<zones::ZoneSlot> slots;
    for (const auto& zone : zones) {
        slots.push_back({nullptr, dns::Name::parse(zone).value()});
    }
    plan->zone_set = zones::ZoneSet(std::move(slots), 1);
    for (const auto& endpoint : endpoints) {
        plan->endpoints.emplace_back().name = endpoint;
    }
    for (const auto& name : names) {
        auto& steered = plan->steered.emplace_back();
        steered.owner = dns::Name::parse(name.name).value();
        steered.tree = policy::TreeId{static_cast<std::uint32_t>(plan->trees.size())};
        auto& tree = plan->trees.emplace_back();
        for (const auto endpoint : name.endpoints) {
            tree.endpoints.push_back(policy::EndpointId{endpoint});
        }
    }
    return plan;
}

SnapshotCell::Pointer snapshot_of(std::shared_ptr<const policy::Plan> plan) {
    auto snapshot = std::make_shared<policy::Snapshot>();
    snapshot->plan = std::move(plan);
    return snapshot;
}

policy::Outcome outcome_of(std::uint32_t zone, std::uint32_t steered,
                           const std::vector<std::uint32_t>& endpoints) {
    policy::Outcome outcome;
    outcome.size = 50;
    outcome.kind = policy::AnswerKind::Steered;
    outcome.zone = zone;
    outcome.steered = steered;
    for (const auto endpoint : endpoints) {
        outcome.decision.endpoints[outcome.decision.endpoint_count++] =
            policy::EndpointId{endpoint};
    }
    return outcome;
}

std::uint64_t count_of(const AnswerTotals& totals, const std::string& name,
                       const std::string& endpoint) {
    const auto& layout = totals.layout();
    for (std::size_t row = 0; row < layout.names().size(); ++row) {
        const auto& label = layout.names()[row];
        for (std::size_t i = 0; label.name == name && i < label.endpoints.size(); ++i) {
            if (layout.endpoints()[label.endpoints[i]] == endpoint) {
                return totals.endpoint(row, i);
            }
        }
    }
    ADD_FAILURE() << "no row for " << name << " and " << endpoint;
    return 0;
}

TEST(AnswerCounts, StandByZoneTransportAndRcode) {
    SnapshotCell cell;
    SnapshotCell::Reader reader(cell);
    cell.publish(snapshot_of(plan_of({"a.test.", "b.test."}, {}, {})));
    (void)reader.refresh();
    auto outcome = outcome_of(1, policy::kNone, {});
    outcome.rcode = dns::Rcode::NxDomain;
    reader.answers().count(outcome, Transport::Tcp);
    outcome.zone = policy::kNone;
    outcome.rcode = dns::Rcode::Refused;
    reader.answers().count(outcome, Transport::Udp);
    outcome.rcode = static_cast<dns::Rcode>(16);
    reader.answers().count(outcome, Transport::Udp);
    const auto totals = cell.answers();
    EXPECT_EQ(totals.layout().zones(), (std::vector<std::string>{"a.test.", "b.test."}));
    EXPECT_EQ(totals.zone(2, Transport::Tcp, 3), 1U);
    EXPECT_EQ(totals.zone(1, Transport::Tcp, 3), 0U);
    EXPECT_EQ(totals.zone(0, Transport::Udp, 5), 1U);
    EXPECT_EQ(totals.zone(0, Transport::Udp, AnswerLayout::kRcodes - 1), 1U);
}

TEST(AnswerCounts, StandByNameAndEndpoint) {
    SnapshotCell cell;
    SnapshotCell::Reader reader(cell);
    cell.publish(snapshot_of(
        plan_of({"test."}, {"e0", "e1", "e2", "e3"}, {{"a.test.", {3, 1}}, {"b.test.", {2}}})));
    (void)reader.refresh();
    auto& answers = reader.answers();
    answers.count(outcome_of(0, 0, {1}), Transport::Udp);
    answers.count(outcome_of(0, 0, {1}), Transport::Udp);
    answers.count(outcome_of(0, 0, {3, 1}), Transport::Udp);
    answers.count(outcome_of(0, 0, {}), Transport::Udp);
    auto open = outcome_of(0, 1, {2});
    open.decision.fail_open = true;
    answers.count(open, Transport::Udp);
    const auto totals = cell.answers();
    EXPECT_EQ(count_of(totals, "a.test.", "e1"), 3U);
    EXPECT_EQ(count_of(totals, "a.test.", "e3"), 1U);
    EXPECT_EQ(count_of(totals, "b.test.", "e2"), 1U);
    EXPECT_EQ(totals.decisions(0), 4U);
    EXPECT_EQ(totals.decisions(1), 1U);
    EXPECT_EQ(totals.head(0, AnswerLayout::Nobody), 1U);
    EXPECT_EQ(totals.head(0, AnswerLayout::FailOpen), 0U);
    EXPECT_EQ(totals.head(1, AnswerLayout::FailOpen), 1U);
    EXPECT_EQ(totals.by_endpoint(), (std::vector<std::uint64_t>{0, 3, 1, 1}));
}

TEST(AnswerCounts, ShareARowBeyondTheBound) {
    std::vector<std::string> zones;
    std::vector<NamedEndpoints> names;
    for (int i = 0; i < 1500; ++i) {
        zones.push_back("z" + std::to_string(i) + ".test.");
        names.push_back({"www.z" + std::to_string(i) + ".test.", {0, 1}});
    }
    SnapshotCell cell;
    SnapshotCell::Reader reader(cell);
    cell.publish(snapshot_of(plan_of(zones, {"e0", "e1"}, names)));
    (void)reader.refresh();
    for (std::uint32_t i = 0; i < 1500; ++i) {
        reader.answers().count(outcome_of(i, i, {1}), Transport::Udp);
    }
    const auto totals = cell.answers();
    ASSERT_EQ(totals.layout().zones().size(), 1000U);
    ASSERT_EQ(totals.layout().names().size(), 1001U);
    EXPECT_EQ(totals.zone(1000, Transport::Udp, 0), 1U);
    EXPECT_EQ(totals.zone(1001, Transport::Udp, 0), 500U);
    EXPECT_EQ(count_of(totals, "www.z999.test.", "e1"), 1U);
    EXPECT_EQ(count_of(totals, "other", "e1"), 500U);
    EXPECT_EQ(totals.by_endpoint(), (std::vector<std::uint64_t>{0, 1500}));
}

TEST(AnswerCounts, PairsOfNameAndEndpointAreBoundedToo) {
    std::vector<std::string> endpoints;
    std::vector<std::uint32_t> all;
    for (std::uint32_t i = 0; i < 3000; ++i) {
        endpoints.push_back("e" + std::to_string(i));
        all.push_back(i);
    }
    std::vector<NamedEndpoints> names;
    for (int i = 0; i < 10; ++i) {
        names.push_back({"n" + std::to_string(i) + ".test.", all});
    }
    const AnswerLayout layout(*plan_of({"test."}, endpoints, names));
    EXPECT_EQ(layout.names().size(), 7U);  // six with 18,000 pairs, and "other"
}

TEST(AnswerCounts, SurviveAReloadForWhatStays) {
    SnapshotCell cell;
    SnapshotCell::Reader reader(cell);
    cell.publish(snapshot_of(
        plan_of({"a.test.", "b.test."}, {"e0", "e1"}, {{"x.test.", {0, 1}}, {"y.test.", {0}}})));
    (void)reader.refresh();
    reader.answers().count(outcome_of(0, 0, {1}), Transport::Udp);
    reader.answers().count(outcome_of(1, 1, {0}), Transport::Udp);
    // Other places, one zone, name and endpoint gone, others new.
    cell.publish(snapshot_of(
        plan_of({"c.test.", "b.test."}, {"new", "e1"}, {{"z.test.", {0}}, {"x.test.", {1, 0}}})));
    // A thread that has not seen the new plan yet goes on to count for the old one.
    reader.answers().count(outcome_of(0, 0, {1}), Transport::Udp);
    const auto check = [&](const AnswerTotals& totals) {
        EXPECT_EQ(count_of(totals, "x.test.", "e1"), 2U);
        EXPECT_EQ(count_of(totals, "x.test.", "new"), 0U);
        EXPECT_EQ(count_of(totals, "z.test.", "new"), 0U);
        EXPECT_EQ(totals.zone(1, Transport::Udp, 0), 0U);
        EXPECT_EQ(totals.zone(2, Transport::Udp, 0), 1U);
    };
    check(cell.answers());
    cell.release_retired();  // the reader still holds the old ones
    check(cell.answers());
    (void)reader.refresh();
    cell.release_retired();
    check(cell.answers());
    reader.answers().count(outcome_of(1, 1, {1}), Transport::Udp);
    EXPECT_EQ(count_of(cell.answers(), "x.test.", "e1"), 3U);
}

TEST(AnswerCounts, LoseNothingWhileThreadsCountAndPlansChange) {
    constexpr std::uint64_t kEach = 200'000;
    constexpr int kReaders = 3;
    const auto make = [](bool swapped) {
        std::vector<std::string> endpoints{"e0", "e1"};
        if (swapped) {
            std::swap(endpoints[0], endpoints[1]);
        }
        return snapshot_of(plan_of({"test."}, endpoints, {{"a.test.", {0, 1}}}));
    };
    SnapshotCell cell;
    cell.publish(make(false));
    std::atomic<int> running{kReaders};
    std::vector<std::thread> threads;
    for (int i = 0; i < kReaders; ++i) {
        threads.emplace_back([&] {
            SnapshotCell::Reader reader(cell);
            for (std::uint64_t n = 0; n < kEach; ++n) {
                const auto* snapshot = reader.refresh();
                const std::uint32_t e1 = snapshot->plan->endpoints[1].name == "e1" ? 1 : 0;
                reader.answers().count(outcome_of(0, 0, {e1}), Transport::Udp);
            }
            --running;
        });
    }
    std::uint64_t last = 0;
    for (bool swapped = true; running > 0; swapped = !swapped) {
        cell.publish(make(swapped));
        cell.release_retired();
        const std::uint64_t now = count_of(cell.answers(), "a.test.", "e1");
        EXPECT_GE(now, last);
        last = now;
    }
    for (auto& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(count_of(cell.answers(), "a.test.", "e1"), kReaders * kEach);
    EXPECT_EQ(count_of(cell.answers(), "a.test.", "e0"), 0U);
}

}  // namespace
}  // namespace steerd::server
