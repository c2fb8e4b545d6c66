/*
 * storm_scenario.c - one line, one fact.
 */
#include "storm_scenario.h"

#include <stdio.h>
#include <string.h>

#define SERVICE_NAME(name, text) text,
static const char *const names[] = {STORM_SERVICE_LIST(SERVICE_NAME)};
#undef SERVICE_NAME

const char *storm_service_name(enum storm_service service)
{
    return names[service];
}

bool storm_service_find(const char *name, enum storm_service *service)
{
    for (int i = 0; i < STORM_SERVICE_COUNT; i++) {
        if (strcmp(names[i], name) == 0) {
            *service = (enum storm_service)i;
            return true;
        }
    }
    return false;
}

static bool read_fault(struct storm_scenario *scenario, const char *line)
{
    char name[32];
    double from;
    double to;
    if (scenario->fault_count == STORM_FAULTS_MAX)
        return false;
    struct storm_fault *fault = &scenario->faults[scenario->fault_count];
    if (sscanf(line, "fault %lf %lf %31s %127s", &from, &to, name, fault->settings) != 4 ||
        !storm_service_find(name, &fault->service) || from < 0 || to < from)
        return false;
    fault->from = (moment_us)(from * 1e6);
    fault->to = (moment_us)(to * 1e6);
    scenario->fault_count++;
    return true;
}

static bool read_service(struct storm_scenario *scenario, const char *line)
{
    char name[32];
    char settings[STORM_SETTINGS_BYTES];
    enum storm_service service;
    if (sscanf(line, "service %31s %127s", name, settings) != 2 ||
        !storm_service_find(name, &service))
        return false;
    memcpy(scenario->settings[service], settings, sizeof settings);
    return true;
}

static bool read_line(struct storm_scenario *scenario, const char *line)
{
    size_t blanks = strspn(line, " \t\r\n");
    if (line[blanks] == '\0' || line[blanks] == '#')
        return true;
    if (strncmp(line, "fault ", 6) == 0)
        return read_fault(scenario, line);
    if (strncmp(line, "service ", 8) == 0)
        return read_service(scenario, line);
    return sscanf(line, "load %lf %lf", &scenario->rate, &scenario->seconds) == 2;
}

bool storm_scenario_read(struct storm_scenario *scenario, const char *path)
{
    char line[512];
    int number = 0;
    bool is_good = true;
    FILE *file = fopen(path, "r");
    *scenario = (struct storm_scenario){.rate = 450, .seconds = 50};
    if (file == NULL) {
        fprintf(stderr, "storm: cannot read %s\n", path);
        return false;
    }
    while (is_good && fgets(line, sizeof line, file) != NULL) {
        number++;
        is_good = read_line(scenario, line);
    }
    fclose(file);
    if (!is_good)
        fprintf(stderr, "%s:%d: not a line of a storm: %s", path, number, line);
    return is_good;
}
