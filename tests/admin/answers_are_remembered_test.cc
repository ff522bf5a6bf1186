// The last minutes of answers: what is kept, for how long, and over a change of the configuration.
#include <gtest/gtest.h>

#include "admin/answer_history.h"

namespace steerd::admin {

namespace {

using std::chrono::seconds;

std::shared_ptr<const server::AnswerLayout> layout_of(const std::vector<std::string>& endpoints) {
    policy::Plan plan;
    for (const auto& name : endpoints) {
        plan.endpoints.emplace_back().name = name;
    }
    return std::make_shared<const server::AnswerLayout>(plan);
}

base::Mono at(int s) { return base::Mono{} + seconds(s); }

TEST(AnswerHistory, IsEmptyAtFirst) {
    EXPECT_EQ(AnswerHistory().json(at(7)).dump(), R"({"ages_s":[],"endpoints":{}})");
}

TEST(AnswerHistory, TellsAgesAndLeavesOutWhatWasNeverHandedOut) {
    AnswerHistory history;
    history.add(at(0), server::AnswerTotals(layout_of({"tokyo", "osaka"})));
    history.add(at(5), server::AnswerTotals(layout_of({"tokyo", "osaka"})));
    const Json json = history.json(at(6));
    EXPECT_EQ(json["ages_s"], Json::parse("[6.0, 1.0]"));
    EXPECT_TRUE(json["endpoints"].empty());
}

TEST(AnswerHistory, ForgetsWhatIsOld) {
    AnswerHistory history;
    for (int i = 0; i < 500; ++i) {
        history.add(at(i * 5), server::AnswerTotals(layout_of({"tokyo"})));
    }
    const Json ages = history.json(at(499 * 5))["ages_s"];
    ASSERT_EQ(ages.size(), AnswerHistory::kKept);
    EXPECT_EQ(ages.back(), 0.0);
    EXPECT_EQ(ages.front(), 595.0);
}

TEST(AnswerHistory, KeepsNothingOfVeryManyEndpoints) {
    AnswerHistory history;
    history.add(at(0), server::AnswerTotals(layout_of({"tokyo"})));
    history.add(at(5), server::AnswerTotals(layout_of(
                           std::vector<std::string>(AnswerHistory::kMaxEndpoints + 1, "many"))));
    EXPECT_TRUE(history.json(at(5))["ages_s"].empty());
}

}  // namespace

}  // namespace steerd::admin
