# What `cmake --install` puts where, and the Debian package that `cpack -G DEB` makes of it.
# Folders of the package are Debian's (/usr, /lib/systemd); with another prefix they follow it.
include(GNUInstallDirs)

set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)  # installing the server does not build the tests

find_program(STEERD_GZIP gzip REQUIRED)
set(STEERD_UNIT_DIR "lib/systemd/system" CACHE STRING "Where systemd units go, under the prefix")
set(built "${PROJECT_BINARY_DIR}/packaging")
file(MAKE_DIRECTORY "${built}")

# steerd_compressed(SOURCE NAME): a file as policy wants it, compressed and without a time in it.
function(steerd_compressed source name)
    execute_process(COMMAND ${STEERD_GZIP} -9 -n -c "${source}"
                    OUTPUT_FILE "${built}/${name}" COMMAND_ERROR_IS_FATAL ANY)
    set_property(DIRECTORY "${PROJECT_SOURCE_DIR}" APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${source}")
endfunction()
steerd_compressed("${PROJECT_SOURCE_DIR}/man/steerd.1" steerd.1.gz)
steerd_compressed("${PROJECT_SOURCE_DIR}/man/steerd.toml.5" steerd.toml.5.gz)
steerd_compressed("${PROJECT_SOURCE_DIR}/packaging/debian/changelog" changelog.gz)

install(TARGETS steerd RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES "${built}/steerd.1.gz" DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES "${built}/steerd.toml.5.gz" DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)
install(FILES completions/steerd.bash
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME steerd)
install(FILES completions/_steerd DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install(FILES completions/steerd.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
# The unit names the executable where it is installed, which is known only then.
install(CODE "
    file(READ \"${PROJECT_SOURCE_DIR}/systemd/steerd.service\" unit)
    string(REPLACE /usr/bin/steerd \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/steerd\" unit \"\${unit}\")
    file(WRITE \"${built}/steerd.service\" \"\${unit}\")
    file(INSTALL \"${built}/steerd.service\" DESTINATION \"\${CMAKE_INSTALL_PREFIX}/${STEERD_UNIT_DIR}\")")
install(FILES systemd/steerd.socket DESTINATION ${STEERD_UNIT_DIR})
install(FILES systemd/steerd.sysusers DESTINATION lib/sysusers.d RENAME steerd.conf)
install(FILES systemd/steerd.tmpfiles DESTINATION lib/tmpfiles.d RENAME steerd.conf)
install(FILES packaging/debian/copyright "${built}/changelog.gz" README.md
        DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES docs/configuration.md docs/health.md docs/steering.md docs/systemd.md docs/zones.md
        DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs)
install(FILES examples/steerd.toml examples/example.com.zone
        DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
# Outside of the prefix, and never over what an operator wrote.
install(CODE "
    set(target \"\$ENV{DESTDIR}/etc/steerd/steerd.toml\")
    if(\"\${CMAKE_INSTALL_PREFIX}\" STREQUAL \"/usr\" AND NOT EXISTS \"\${target}\")
        file(INSTALL \"${PROJECT_SOURCE_DIR}/packaging/steerd.toml\" DESTINATION /etc/steerd
             PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
    endif()")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_NAME steerd)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_VENDOR "steerd")
set(CPACK_PACKAGE_CONTACT "steerd maintainers <maintainers@steerd.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "authoritative DNS server that steers")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"For the names you choose, each answer is picked for the client that asks,
by latency, weight, place or failover order, from the endpoints that
steerd's own health probes find alive. Everything else in a zone is served
as any name server would.
.
It tells beforehand how long clients may stay on a dead endpoint, explains
every answer, and rehearses outages against resolver caches.")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "systemd | systemd-standalone-sysusers | passwd, init-system-helpers (>= 1.54~)")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "tor-geoipdb")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    "${PROJECT_SOURCE_DIR}/packaging/debian/conffiles;${PROJECT_SOURCE_DIR}/packaging/debian/postinst;${PROJECT_SOURCE_DIR}/packaging/debian/prerm;${PROJECT_SOURCE_DIR}/packaging/debian/postrm")
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
include(CPack)
