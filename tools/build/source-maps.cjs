/**
 * Loaded before a bundle: stack traces show the lines of our sources. `--enable-source-maps` would read the maps of all
 * npm packages as well and keep them, which costs each service 15 MB.
 */
require('node:module').setSourceMapsSupport(true);
