#include "cli/files.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

#include "cli/command.h"

namespace steerd::cli {

namespace {

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

[[noreturn]] void fail(const std::string& path, std::string_view what) {
    throw Failure(
        fmt::format("{} cannot be {}: {}", path, what, std::generic_category().message(errno)));
}

}  // namespace

std::string read_file(const std::string& path) {
    File file(nullptr, &std::fclose);
    std::FILE* from = stdin;
    if (path != "-") {
        file.reset(std::fopen(path.c_str(), "re"));
        from = file.get();
    }
    if (from == nullptr) {
        fail(path, "read");
    }
    std::string text;
    std::array<char, 65536> part;
    for (std::size_t got = 0; (got = std::fread(part.data(), 1, part.size(), from)) > 0;) {
        text.append(part.data(), got);
    }
    if (std::ferror(from) != 0) {
        fail(path, "read");
    }
    return text;
}

void write_file(const std::string& path, std::string_view text) {
    File file(std::fopen(path.c_str(), "we"), &std::fclose);
    const bool good = file != nullptr &&
                      std::fwrite(text.data(), 1, text.size(), file.get()) == text.size() &&
                      std::fclose(file.release()) == 0;
    if (!good) {
        fail(path, "written");
    }
}

}  // namespace steerd::cli
