// The longest apex wins by label; DS at a child's apex goes to the parent.
#include "zones/zone_set.h"

#include "zone_testing.h"

namespace steerd::zones::testing {
namespace {

using dns::RrType;

std::string apex_of(const ZoneSlot* slot) { return slot == nullptr ? "-" : slot->apex.to_text(); }

ZoneSet set_of(std::initializer_list<std::string_view> apexes) {
    std::vector<ZoneSlot> slots;
    for (const auto apex : apexes) {
        slots.push_back({nullptr, name(apex)});
    }
    return {std::move(slots), 99};
}

TEST(ZoneSetFind, TakesTheLongestApexByLabel) {
    const auto set = set_of({"example.com.", "sub.example.com.", "org."});
    EXPECT_EQ(apex_of(set.find(name("www.example.com."))), "example.com.");
    EXPECT_EQ(apex_of(set.find(name("EXAMPLE.Com."))), "example.com.");
    EXPECT_EQ(apex_of(set.find(name("a.b.sub.example.com."))), "sub.example.com.");
    EXPECT_EQ(apex_of(set.find(name("xsub.example.com."))), "example.com.");
    EXPECT_EQ(apex_of(set.find(name("notexample.com."))), "-");
    EXPECT_EQ(apex_of(set.find(name("com."))), "-");
    EXPECT_EQ(apex_of(set.find(name("."))), "-");
    EXPECT_EQ(apex_of(set.find(name("a.org."))), "org.");
}

TEST(ZoneSetFind, RootTakesWhatNobodyElseHas) {
    const auto set = set_of({".", "example.com."});
    EXPECT_EQ(apex_of(set.find(name("example.org."))), ".");
    EXPECT_EQ(apex_of(set.find(name("."))), ".");
    EXPECT_EQ(apex_of(set.find(name("x.example.com."))), "example.com.");
}

TEST(ZoneSetFind, AnEmptySetHasNothing) {
    EXPECT_EQ(ZoneSet().find(name("example.com.")), nullptr);
    EXPECT_EQ(set_of({}).find_for(name("example.com."), RrType::DS), nullptr);
}

TEST(ZoneSetFind, DsAtAnApexIsAskedOfTheZoneAbove) {
    const auto set = set_of({"example.com.", "sub.example.com.", "org."});
    EXPECT_EQ(apex_of(set.find_for(name("sub.example.com."), RrType::DS)), "example.com.");
    EXPECT_EQ(apex_of(set.find_for(name("sub.example.com."), RrType::NS)), "sub.example.com.");
    EXPECT_EQ(apex_of(set.find_for(name("x.sub.example.com."), RrType::DS)), "sub.example.com.");
    EXPECT_EQ(apex_of(set.find_for(name("org."), RrType::DS)), "org.");
    EXPECT_EQ(apex_of(set_of({"."}).find_for(name("."), RrType::DS)), ".");
}

TEST(ZoneSetFind, KeepsASlotForAZoneThatIsUnavailable) {
    std::vector<ZoneSlot> slots{{zone_of(""), name("example.com.")},
                                {{}, name("bad.example.com.")}};
    const ZoneSet set(std::move(slots), 1);
    EXPECT_NE(set.find(name("x.example.com."))->zone, nullptr);
    EXPECT_EQ(set.find(name("x.bad.example.com."))->zone, nullptr);
}

TEST(ZoneSetFind, OfOneApexGivenTwiceTheLastCounts) {
    std::vector<ZoneSlot> slots{{{}, name("example.com.")}, {zone_of(""), name("Example.com.")}};
    const ZoneSet set(std::move(slots), 1);
    EXPECT_NE(set.find(name("example.com."))->zone, nullptr);
}

TEST(ZoneSetFind, HoldsManyZones) {
    std::vector<ZoneSlot> slots;
    for (int i = 0; i < 20'000; ++i) {
        slots.push_back({{}, name("z" + std::to_string(i) + ".example.")});
    }
    const ZoneSet set(std::move(slots), 5);
    for (int i = 0; i < 20'000; i += 7) {
        const auto apex = "z" + std::to_string(i) + ".example.";
        ASSERT_EQ(apex_of(set.find(name("www." + apex))), apex);
    }
    EXPECT_EQ(set.find(name("z20000.example.")), nullptr);
}

TEST(ZoneSetFind, LongestNamesAreNoTrouble) {
    std::string deep;
    for (int i = 0; i < 127; ++i) {
        deep += "a.";
    }
    const auto set = set_of({deep, "a."});
    EXPECT_EQ(apex_of(set.find(name(deep))), deep);
    EXPECT_EQ(apex_of(set.find(name("b.a."))), "a.");
}

std::shared_ptr<const Zone> zone_at(std::string_view apex) {
    base::Problems problems;
    auto zone = load_zone_text(name(apex), kHead + "www A 192.0.2.1\na.b A 192.0.2.2\n",
                               "test.zone", {}, problems);
    EXPECT_FALSE(problems.has_errors()) << problems.text();
    return zone;
}

std::size_t ahead_of(const ZoneSet& set, const std::vector<std::string>& texts) {
    std::vector<dns::Name> names;
    std::vector<dns::SplitName> split;
    for (const std::string& text : texts) {
        names.push_back(name(text));
    }
    for (const dns::Name& each : names) {
        split.emplace_back(each.view());
    }
    return set.read_ahead(split);
}

TEST(ZoneSetReadAhead, ComesToEveryNameThatIsThere) {
    std::vector<ZoneSlot> slots;
    for (int i = 0; i < 300; ++i) {
        const std::string apex = "z" + std::to_string(i) + ".example.";
        slots.push_back({zone_at(apex), name(apex)});
    }
    slots.push_back({zone_at("deep.z7.example."), name("deep.z7.example.")});
    slots.push_back({zone_at("deep.z8.example."), name("deep.z8.example.")});
    slots.push_back({{}, name("bad.example.")});
    const ZoneSet set(std::move(slots), 5);
    EXPECT_EQ(ahead_of(set, {}), 0U);
    for (int i = 0; i < 300; ++i) {
        const std::string apex = "Z" + std::to_string(i) + ".example.";
        ASSERT_EQ(ahead_of(set, {"www." + apex, "nothing." + apex, apex, "x.www." + apex,
                                 "A.b." + apex, "b." + apex}),
                  4U)
            << apex;
    }
    EXPECT_EQ(ahead_of(set, {"www.deep.z7.example.", "deep.z8.example.", "www.deep.z9.example."}),
              2U);
    EXPECT_EQ(ahead_of(set, {"www.bad.example.", "bad.example.", "www.example.", ".", "org."}), 0U);
}

TEST(ZoneSetReadAhead, ComesToTheNamesOfASingleZone) {
    std::vector<ZoneSlot> slots;
    slots.push_back({zone_at("example.com."), name("example.com.")});
    const ZoneSet set(std::move(slots), 5);
    EXPECT_EQ(ahead_of(set, {"www.example.com.", "EXAMPLE.com.", "com.", "www.example.org."}), 2U);
    EXPECT_EQ(ahead_of(ZoneSet(), {"www.example.com."}), 0U);
    const std::vector<std::string> many(20, "www.example.com.");
    EXPECT_EQ(ahead_of(set, many), 8U);
}

}  // namespace
}  // namespace steerd::zones::testing
