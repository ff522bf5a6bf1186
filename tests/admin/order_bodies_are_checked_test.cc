// The body of an order: what is taken, and that every mistake is named.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "admin/order_request.h"

namespace steerd::admin {
namespace {

using ::testing::HasSubstr;

const base::Wall kNow{std::chrono::hours(24 * 365 * 55)};

TEST(OrderBody, TakesWhatTheContractNames) {
    const auto order =
        parse_order(R"({"state": "drain", "for": "30m", "reason": "kernel", "force": true})", kNow);
    ASSERT_TRUE(order.ok());
    EXPECT_EQ(order->state, health::OrderState::Drain);
    EXPECT_EQ(order->reason, "kernel");
    EXPECT_EQ(order->until, kNow + std::chrono::minutes(30));
    EXPECT_TRUE(order->force);
}

TEST(OrderBody, NeedsTheStateAlone) {
    const auto order = parse_order(R"({"state": "up", "for": null, "reason": null})", kNow);
    ASSERT_TRUE(order.ok());
    EXPECT_EQ(order->state, health::OrderState::Up);
    EXPECT_EQ(order->until, std::nullopt);
    EXPECT_FALSE(order->force);
    EXPECT_TRUE(parse_order(R"({"state": "down"})", kNow).ok());
}

TEST(OrderBody, NamesEachMistake) {
    const std::pair<const char*, const char*> cases[] = {
        {"", "JSON"},
        {"[]", "JSON"},
        {"{", "JSON"},
        {R"({"state": "drain"} x)", "JSON"},
        {"{}", "state"},
        {R"({"state": "sideways"})", "state"},
        {R"({"state": 7})", "state"},
        {R"({"state": "drain", "for": "30"})", "for"},
        {R"({"state": "drain", "for": 30})", "for"},
        {R"({"state": "drain", "for": "0s"})", "for"},
        {R"({"state": "drain", "for": "-5m"})", "for"},
        {R"({"state": "drain", "force": "yes"})", "force"},
        {R"({"state": "drain", "reason": ["x"]})", "reason"},
        {"{\"state\": \"drain\", \"reason\": \"a\\nb\"}", "reason"},
        {R"({"state": "drain", "fro": "30m"})", "fro"},
        {R"({"state": [[[[[[[[1]]]]]]]]})", "JSON"},
        {"{\"state\": \"drain\", \"reason\": \"\xff\"}", "JSON"},
    };
    for (const auto& [body, key] : cases) {
        const auto order = parse_order(body, kNow);
        ASSERT_FALSE(order.ok()) << body;
        EXPECT_THAT(order.error(), HasSubstr(key)) << body;
    }
    const std::string longer = R"({"state": "up", "reason": ")" + std::string(501, 'x') + "\"}";
    EXPECT_THAT(parse_order(longer, kNow).error(), HasSubstr("reason"));
}

}  // namespace
}  // namespace steerd::admin
