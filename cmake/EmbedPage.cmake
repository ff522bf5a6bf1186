# Writes OUT, a C++ file that holds the files of FOLDER as they stand (admin/page_files.h), so that
# the dashboard is part of the program and needs nothing at run time. Run by admin/CMakeLists.txt.
file(GLOB files RELATIVE "${FOLDER}" "${FOLDER}/*")
set(entries "")
foreach(name IN LISTS files)
    file(READ "${FOLDER}/${name}" text)
    string(FIND "${text}" ")page\"" clash)
    if(NOT clash EQUAL -1)
        message(FATAL_ERROR "${name} holds what ends a raw string")
    endif()
    string(APPEND entries "    {\"${name}\", R\"page(${text})page\"},\n")
endforeach()
file(WRITE "${OUT}" "// Made by cmake/EmbedPage.cmake.
#include \"admin/page_files.h\"

namespace steerd::admin {

namespace {

constexpr PageFile kFiles[] = {
${entries}};

}  // namespace

std::span<const PageFile> page_files() noexcept { return kFiles; }

}  // namespace steerd::admin
")
