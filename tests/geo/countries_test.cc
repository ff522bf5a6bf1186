// The table of countries, and how facts complete and combine.
#include "geo/countries.h"

#include <gtest/gtest.h>

#include <string>

#include "geo/rtt_model.h"
#include "tests/geo/helpers.h"

namespace steerd::geo {
namespace {

using testing::in_country;

TEST(Countries, EachHasAContinentAndAPlaceOnEarth) {
    int count = 0;
    for (char a = 'A'; a <= 'Z'; ++a) {
        for (char b = 'A'; b <= 'Z'; ++b) {
            const std::string text = {a, b};
            const auto code = CountryCode::from(text);
            ASSERT_TRUE(code);
            const auto continent = continent_of(*code);
            const auto place = representative_location(*code);
            ASSERT_EQ(continent.has_value(), place.has_value()) << text;
            if (continent) {
                ++count;
                EXPECT_TRUE(parse_continent(continent->view())) << text;
                EXPECT_TRUE(place->valid()) << text;
                EXPECT_NE(*place, Location{}) << text;
            }
        }
    }
    EXPECT_EQ(count, 250);  // ISO 3166-1 has 249, and XK
}

TEST(Countries, StandAtTheirLargestCity) {
    const auto km = [](const char* code, Location city) {
        return great_circle_km(*representative_location(*parse_country(code)), city);
    };
    EXPECT_LT(km("JP", {35.68, 139.69}), 30);
    EXPECT_LT(km("US", {40.71, -74.01}), 30);
    EXPECT_LT(km("BR", {-23.55, -46.63}), 30);
    EXPECT_LT(km("CN", {31.23, 121.47}), 30);
    EXPECT_LT(km("AU", {-33.87, 151.21}), 30);
}

TEST(Countries, CodesThatAreNoCountryStayUnknown) {
    for (const char* text : {"??", "A1", "A2", "XX", "ZZ", "", "J", "JPN", "  ", "T1"}) {
        EXPECT_FALSE(facts_of_country_field(text).known()) << text;
        EXPECT_FALSE(parse_country(text)) << text;
    }
    EXPECT_EQ(parse_country("uk")->view(), "GB");
    EXPECT_EQ(parse_country("jp")->view(), "JP");
    EXPECT_FALSE(parse_country("EU"));
    EXPECT_EQ(facts_of_country_field("EU").continent->view(), "EU");
    EXPECT_EQ(facts_of_country_field("AP").continent->view(), "AS");
    EXPECT_FALSE(parse_continent("XX"));
}

TEST(Countries, SubdivisionsNeedACountryThatExists) {
    EXPECT_EQ(parse_subdivision("us-ca")->view(), "US-CA");
    EXPECT_EQ(parse_subdivision("GB-ENG")->view(), "GB-ENG");
    for (const char* text : {"US-", "US", "USCA", "XX-CA", "US-CALI", "US-C-A", "-CA", ""}) {
        EXPECT_FALSE(parse_subdivision(text)) << text;
    }
}

TEST(Facts, CompleteThemselves) {
    Facts facts;
    facts.subdivision = parse_subdivision("US-CA");
    complete(facts);
    EXPECT_EQ(facts.country, parse_country("US"));
    EXPECT_EQ(facts.continent, parse_continent("NA"));
}

TEST(Facts, FirstKnownWinsFactByFact) {
    Facts facts = in_country("JP");
    Facts second = in_country("US");
    second.asn = 64500;
    second.subdivision = parse_subdivision("US-CA");
    second.location = Location{1, 2};
    merge(facts, second);
    EXPECT_EQ(facts.country, parse_country("JP"));
    EXPECT_EQ(facts.continent, parse_continent("AS"));
    EXPECT_EQ(facts.asn, 64500U);
    EXPECT_EQ(facts.location, (Location{1, 2}));
    EXPECT_FALSE(facts.subdivision);  // California is not in Japan
}

}  // namespace
}  // namespace steerd::geo
