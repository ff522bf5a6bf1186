// Loading keeps the server up whatever is wrong with a geo file, and says what it did.
#include "geo/load.h"

#include <gtest/gtest.h>

#include "tests/geo/helpers.h"
#include "tests/geo/mmdb_writer.h"

namespace steerd::geo {
namespace {

using testing::in_country;
using testing::MmdbWriter;
using testing::net;
using testing::read_file;
using testing::write_file;

class LoadWorld : public ::testing::Test {
  protected:
    LoadWorld() {
        std::filesystem::create_directory(folder_ / "tor");
        write_file(folder_ / "tor/geoip", "167772160,184549375,FR\n");  // 10/8
        write_file(folder_ / "tor/geoip6", "2001:db8::,2001:db8::ffff,FR\n");
        spec_.country_table = folder_ / "tor";
        spec_.regions = {{"tokyo", Location{35.68, 139.69}, {}}};
    }

    void write_database(const char* name, const char* country) {
        MmdbWriter writer;
        writer.insert(net("10.0.0.0/8"), in_country(country));
        writer.write(folder_ / name);
    }

    LoadedWorld load() {
        problems_ = {};
        return load_world(spec_, problems_);
    }

    static std::string country(const LoadedWorld& loaded) {
        const Place& place = loaded.world->place(loaded.world->locate(net("10.1.0.0/16")));
        return place.country ? std::string(place.country->view()) : "";
    }

    testing::TempFolder folder_;
    GeoSpec spec_;
    base::Problems problems_;
};

TEST_F(LoadWorld, WithoutDatabasesTheCountryTableServesAndSaysSo) {
    const auto loaded = load();
    EXPECT_EQ(country(loaded), "FR");
    EXPECT_TRUE(problems_.all().empty()) << problems_.text();
    ASSERT_EQ(loaded.sources.size(), 1U);
    EXPECT_EQ(loaded.sources[0].from, GeoSource::From::CountryTable);
    ASSERT_EQ(loaded.notes.size(), 1U);
    EXPECT_NE(loaded.notes[0].find("a country standing at its largest city"), std::string::npos);
}

TEST_F(LoadWorld, WithoutCountryTableEveryPlaceIsUnknownWithAWarning) {
    spec_.country_table = folder_ / "absent";
    const auto loaded = load();
    EXPECT_EQ(country(loaded), "");
    EXPECT_FALSE(problems_.has_errors());
    EXPECT_EQ(problems_.all().size(), 1U) << problems_.text();
    EXPECT_TRUE(loaded.notes.empty());
}

TEST_F(LoadWorld, DatabasesReplaceTheCountryTable) {
    write_database("city.mmdb", "JP");
    spec_.databases = {folder_ / "city.mmdb"};
    const auto loaded = load();
    EXPECT_EQ(country(loaded), "JP");
    EXPECT_TRUE(problems_.all().empty()) << problems_.text();
    ASSERT_EQ(loaded.sources.size(), 1U);
    EXPECT_EQ(loaded.sources[0].from, GeoSource::From::File);
    EXPECT_EQ(loaded.sources[0].type, "Test-City");
    EXPECT_FALSE(loaded.world->place(loaded.world->locate(net("2001:db8::/120"))).known());
}

TEST_F(LoadWorld, BadDatabaseFallsBackToTheLastGoodCopy) {
    write_database("city.mmdb", "JP");
    spec_.databases = {folder_ / "city.mmdb"};
    spec_.state_dir = folder_ / "state";
    static_cast<void>(load());
    EXPECT_EQ(read_file(folder_ / "state/geo/city.mmdb"), read_file(folder_ / "city.mmdb"));
    write_file(folder_ / "city.mmdb", "rubbish");
    const auto loaded = load();
    EXPECT_EQ(country(loaded), "JP");
    EXPECT_EQ(loaded.sources[0].from, GeoSource::From::LastGoodCopy);
    EXPECT_TRUE(problems_.has_errors());
    EXPECT_EQ(problems_.all()[0].at.file, (folder_ / "city.mmdb").string());
    EXPECT_NE(read_file(folder_ / "state/geo/city.mmdb"), "rubbish");
    // A better file comes: it is used, and kept.
    write_database("city.mmdb", "DE");
    EXPECT_EQ(country(load()), "DE");
    EXPECT_FALSE(problems_.has_errors());
    EXPECT_EQ(read_file(folder_ / "state/geo/city.mmdb"), read_file(folder_ / "city.mmdb"));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "state/geo/city.mmdb.new"));
}

TEST_F(LoadWorld, BadDatabaseWithoutCopyFallsBackToTheCountryTable) {
    write_file(folder_ / "city.mmdb", "rubbish");
    spec_.databases = {folder_ / "city.mmdb"};
    spec_.state_dir = folder_ / "state";
    const auto loaded = load();
    EXPECT_EQ(country(loaded), "FR");
    EXPECT_TRUE(problems_.has_errors());
    EXPECT_EQ(loaded.sources[0].from, GeoSource::From::CountryTable);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "state/geo/city.mmdb"));
    spec_.country_table = folder_ / "absent";
    const auto nothing = load();
    EXPECT_EQ(nothing.sources[0].from, GeoSource::From::Nothing);
    EXPECT_EQ(country(nothing), "");
}

TEST_F(LoadWorld, DamagedCopyIsRefusedToo) {
    spec_.databases = {folder_ / "city.mmdb"};
    spec_.state_dir = folder_ / "state";
    std::filesystem::create_directories(folder_ / "state/geo");
    write_file(folder_ / "state/geo/city.mmdb", "rubbish");
    EXPECT_EQ(country(load()), "FR");
    EXPECT_EQ(problems_.error_count(), 1U) << problems_.text();
}

TEST_F(LoadWorld, DatabasesOfOneNameKeepTwoCopies) {
    std::filesystem::create_directory(folder_ / "other");
    write_database("geo.mmdb", "JP");
    write_database("other/geo.mmdb", "DE");
    spec_.databases = {folder_ / "geo.mmdb", folder_ / "other/geo.mmdb"};
    spec_.state_dir = folder_ / "state";
    static_cast<void>(load());
    write_file(folder_ / "geo.mmdb", "");
    write_file(folder_ / "other/geo.mmdb", "");
    EXPECT_EQ(country(load()), "JP");
    EXPECT_TRUE(problems_.has_errors());
    write_database("geo.mmdb", "US");
    spec_.databases = {folder_ / "geo.mmdb", folder_ / "other/geo.mmdb"};
    EXPECT_EQ(country(load()), "US");
}

TEST_F(LoadWorld, KeepsNoCopiesWhenToldSo) {
    write_database("city.mmdb", "JP");
    spec_.databases = {folder_ / "city.mmdb"};
    spec_.state_dir = folder_ / "state";
    spec_.keep_copies = false;
    static_cast<void>(load());
    EXPECT_FALSE(std::filesystem::exists(folder_ / "state"));
}

TEST_F(LoadWorld, StateDirThatCannotBeWrittenIsAWarning) {
    write_database("city.mmdb", "JP");
    spec_.databases = {folder_ / "city.mmdb"};
    write_file(folder_ / "state", "a file, no folder");
    spec_.state_dir = folder_ / "state";
    EXPECT_EQ(country(load()), "JP");
    EXPECT_FALSE(problems_.has_errors());
    EXPECT_EQ(problems_.all().size(), 1U) << problems_.text();
}

TEST_F(LoadWorld, LatencyRowsAreUsedAndABadFileFallsBackToItsCopy) {
    spec_.latency = folder_ / "latency.csv";
    spec_.state_dir = folder_ / "state";
    write_file(folder_ / "latency.csv", "client,region,rtt_ms\n10.0.0.0/8,tokyo,12\n");
    const auto rtt = [](const LoadedWorld& loaded) {
        const PlaceId id = loaded.world->locate(net("10.1.0.0/16"));
        return loaded.world->estimate(id, 0).rtt_ms;
    };
    EXPECT_EQ(rtt(load()), 12);
    write_file(folder_ / "latency.csv", "client,region,rtt_ms\n10.0.0.0/8,tokyo,99\nbad\n");
    const auto loaded = load();
    EXPECT_EQ(rtt(loaded), 12);
    EXPECT_EQ(loaded.sources.back().from, GeoSource::From::LastGoodCopy);
    ASSERT_TRUE(problems_.has_errors());
    EXPECT_EQ(problems_.all()[0].at.line, 3U);
    std::filesystem::remove_all(folder_ / "state");
    EXPECT_EQ(rtt(load()), 99);  // no copy: its good rows
    std::filesystem::remove(folder_ / "latency.csv");
    static_cast<void>(load());
    EXPECT_TRUE(problems_.has_errors());
}

TEST_F(LoadWorld, NetworkGivenTwiceIsAnErrorAtItsPlace) {
    spec_.networks = {{net("10.0.0.0/8"), in_country("JP"), {"steerd.toml", 3, 1}},
                      {net("::ffff:10.0.0.0/104"), in_country("DE"), {"steerd.toml", 7, 1}}};
    const auto loaded = load();
    EXPECT_EQ(country(loaded), "JP");
    ASSERT_EQ(problems_.error_count(), 1U) << problems_.text();
    EXPECT_EQ(problems_.all()[0].at.line, 7U);
}

TEST_F(LoadWorld, TooManyDatabasesIsAnError) {
    for (int i = 0; i < 9; ++i) {
        const std::string name = "db" + std::to_string(i) + ".mmdb";
        write_database(name.c_str(), "JP");
        spec_.databases.push_back(folder_ / name);
    }
    EXPECT_EQ(country(load()), "JP");
    EXPECT_EQ(problems_.error_count(), 1U) << problems_.text();
}

}  // namespace
}  // namespace steerd::geo
