// What the geo tests share: a folder that goes away, and short ways to write values.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "base/ip.h"
#include "geo/countries.h"
#include "geo/place.h"

namespace steerd::geo::testing {

class TempFolder {
  public:
    TempFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "steerd-geo-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }

    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;

    ~TempFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] std::filesystem::path operator/(std::string_view name) const {
        return path_ / name;
    }

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

/// Writes into the file as it is (same inode), as `cp` does.
inline void write_file(const std::filesystem::path& path, std::string_view content) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << content;
}

inline std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream content;
    content << file.rdbuf();
    return content.str();
}

inline base::IpAddress ip(std::string_view text) {
    const auto address = base::IpAddress::parse(text);
    EXPECT_TRUE(address) << text;
    return address.value_or(base::IpAddress{});
}

inline base::IpPrefix net(std::string_view text) {
    const auto prefix = base::IpPrefix::parse(text);
    EXPECT_TRUE(prefix) << text;
    return prefix.value_or(base::IpPrefix{});
}

inline Facts in_country(std::string_view code) { return facts_of_country_field(code); }

}  // namespace steerd::geo::testing
