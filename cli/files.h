// Files that a command is given by name. Thread rule: the main thread; blocks on the disk.
#pragma once

#include <string>
#include <string_view>

namespace steerd::cli {

/// The whole of a file, or of standard input for "-". Throws Failure.
[[nodiscard]] std::string read_file(const std::string& path);
/// Throws Failure when not all of it could be written.
void write_file(const std::string& path, std::string_view text);

}  // namespace steerd::cli
