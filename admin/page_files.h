// The files of admin/page/, the dashboard, as the build put them into the program
// (cmake/EmbedPage.cmake): it needs no folder at run time and fits its server always.
// Thread rule: constant data.
#pragma once

#include <span>
#include <string_view>

namespace steerd::admin {

struct PageFile {
    std::string_view name;
    std::string_view text;
};

[[nodiscard]] std::span<const PageFile> page_files() noexcept;

}  // namespace steerd::admin
